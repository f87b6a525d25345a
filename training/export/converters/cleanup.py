"""Cleanup of a graph that skl2onnx has converted."""

from __future__ import annotations

from onnx import ModelProto

from training.export.converters.tensor import ML_DOMAIN, ML_OPSET
from training.export.unused_nodes import drop_unused

# The newest operator is TreeEnsemble, which needs this version of ai.onnx.ml.
OPSETS = {"": 21, ML_DOMAIN: ML_OPSET}


def prune_graph(model: ModelProto) -> None:
    """Drop unused nodes and constants, in place, and name the nodes reproducibly."""
    _set_ml_opset(model)
    drop_unused(model.graph)
    for number, node in enumerate(model.graph.node):  # skl2onnx puts memory addresses into names
        node.name = f"{node.op_type}_{number}"


def _set_ml_opset(model: ModelProto) -> None:
    if any(node.op_type == "TreeEnsemble" for node in model.graph.node):
        for opset in model.opset_import:
            if opset.domain == ML_DOMAIN:
                opset.version = ML_OPSET
