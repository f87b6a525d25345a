"""Transformers without a converter of this package, converted by skl2onnx in float64."""

from __future__ import annotations

from typing import Any

from onnx import TensorProto, compose
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType

from training.export.converters.cleanup import OPSETS
from training.export.converters.features import Features, from_tensor
from training.export.converters.tensor import Tensor

_INPUT = "X"


def transform_with_skl2onnx(transformer: Any, X: Features) -> Features:
    """Convert a transformer of numbers and add its nodes to the graph.

    Raises
    ------
    NotImplementedError
        If skl2onnx does not support it in float64.
    """
    name, graph, source = type(transformer).__name__, X.graph, X.numbers()
    try:
        model = convert_sklearn(
            transformer,
            initial_types=[(_INPUT, DoubleTensorType([None, len(X)]))],
            target_opset=OPSETS,
        )
    except Exception as error:  # skl2onnx may raise anything
        raise NotImplementedError(f"{name} is not supported") from error
    if len(model.graph.output) != 1:
        raise NotImplementedError(f"{name} has more than one output")
    output = model.graph.output[0]
    tensor_type = output.type.tensor_type
    if tensor_type.elem_type != TensorProto.DOUBLE:
        raise NotImplementedError(f"{name} is not supported in float64")
    prefix = graph.unique_name(name.lower()) + "_"
    part = compose.add_prefix_graph(model.graph, prefix)
    for node in part.node:
        node.input[:] = [source.name if each == prefix + _INPUT else each for each in node.input]
    graph.nodes.extend(part.node)
    graph.initializers.extend(part.initializer)
    width = tensor_type.shape.dim[1].dim_value if len(tensor_type.shape.dim) > 1 else 0
    if not width:
        raise NotImplementedError(f"{name} is not supported")
    return from_tensor(Tensor(graph, prefix + output.name), width)
