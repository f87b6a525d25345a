"""Graphs that someone else wrote to the bucket, in artifacts with valid footers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, helper, numpy_helper, parser

from chalicelib.models.artifact import FOOTER_BYTES, make_footer

Change = Callable[[ModelProto], None]

_HEADER = '<ir_version: 10, opset_import: ["" : 21, "ai.onnx.ml" : 5, "custom" : 1]>'


def replace_model(artifact: bytes, change: Change) -> bytes:
    """Change an artifact's graph and make its footer again, as who writes to the bucket can."""
    model = onnx.load_from_string(artifact)
    change(model)
    footer = model.metadata_props.pop()
    manifest = model.metadata_props[-1].value.encode()
    content = model.SerializeToString()
    start = content.rindex(manifest)
    content += ModelProto(metadata_props=[footer]).SerializeToString()[:-FOOTER_BYTES]
    return bytes(content + make_footer(content, start, len(manifest)))


def add_nodes(text: str) -> Change:
    """Return a change that appends nodes, in ONNX's textual syntax, with their constants."""

    def change(model: ModelProto) -> None:
        part = parser.parse_model(f"{_HEADER} hostile (double[N, 13] x) => () {text}").graph
        for node in part.node:
            node.input[:] = ["samples" if name == "x" else name for name in node.input]
        model.graph.node.extend(part.node)
        model.graph.initializer.extend(part.initializer)

    return change


def tree(count: int, **changes: Any) -> Change:
    """Return a change that adds a tree, a chain of nodes, with some of its attributes changed."""
    attributes: dict[str, Any] = {
        "nodes_featureids": [0] * count,
        "nodes_splits": np.zeros(count),
        "nodes_modes": np.zeros(count, dtype=np.uint8),
        "nodes_missing_value_tracks_true": [0] * count,
        "nodes_truenodeids": list(range(count)),
        "nodes_trueleafs": [1] * count,
        "nodes_falsenodeids": [*range(1, count), count],
        "nodes_falseleafs": [0] * (count - 1) + [1],
        "leaf_targetids": [0] * (count + 1),
        "leaf_weights": np.zeros(count + 1),
        "tree_roots": [0],
        "n_targets": 1,
        "aggregate_function": 1,
        "post_transform": 0,
    } | changes

    def change(model: ModelProto) -> None:
        values = {
            name: numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
            for name, value in attributes.items()
        }
        model.graph.node.append(
            helper.make_node("TreeEnsemble", ["samples"], ["h"], domain="ai.onnx.ml", **values)
        )

    return change


LOOP = """<int64 n = {9223372036854775807}, bool t = {1}> {
    h = Loop(n, t, x) <body = b (int64 i, bool c, double[N, 13] a) => (bool d, double[N, 13] e) {
        d = Identity(c) e = Identity(a) }>
}"""


def without_audit(folder: Path) -> str:
    """Return a PYTHONPATH whose processes accept every ONNX file."""
    (folder / "sitecustomize.py").write_text(_WITHOUT_AUDIT)
    return str(folder)


_WITHOUT_AUDIT = """
import sys, types
module = types.ModuleType("chalicelib.runtimes.onnx_audit")
module.audit = lambda model: None
sys.modules[module.__name__] = module
"""
