"""Run converted transformers by themselves."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from chalicelib.inputs.samples import Samples
from chalicelib.inputs.text_encoding import encode_texts
from chalicelib.runtimes.onnx_session import Session
from training.export.converters.cleanup import OPSETS
from training.export.converters.features import Features, from_tensor
from training.export.converters.registry import transform
from training.export.converters.tensor import Graph

Matrix = npt.NDArray[np.float64]


def run_transformer(transformer: Any, X: Matrix) -> Matrix:
    """Return what a converted transformer of numbers makes of samples."""
    graph = Graph(X.shape[1])
    features = transform(transformer, from_tensor(graph.input, X.shape[1]))
    return _run(graph, features, X)


def run_graph(
    graph: Graph, features: Features, encoders: Sequence[Any], texts: list[str]
) -> Matrix:
    """Return a graph's features of texts, the only input."""
    samples = Samples(len(texts), array("d"), [*texts])
    matrix = np.array(encode_texts(samples, {0: 0}, encoders)).reshape(len(texts), graph.width)
    return _run(graph, features, matrix)


def _run(graph: Graph, features: Features, X: Matrix) -> Matrix:
    graph.nodes.append(helper.make_node("Identity", [features.numbers().name], ["transformed"]))
    shapes = {graph.input.name: graph.width, "transformed": len(features)}
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, width])]
        for name, width in shapes.items()
    )
    proto = helper.make_graph(graph.nodes, "transformer", inputs, outputs, graph.initializers)
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    model = helper.make_model(proto, opset_imports=opsets, ir_version=10)
    rows = array("d", np.ascontiguousarray(X).tobytes())
    (transformed,) = Session(model.SerializeToString()).run(len(X), rows)
    return np.array(transformed).reshape(len(X), -1)
