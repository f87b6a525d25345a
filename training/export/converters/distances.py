"""Distances between samples and the reference samples that an estimator keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from training.export.converters.tensor import Tensor


def squared_distances(X: Tensor, reference: npt.NDArray[Any]) -> Tensor:
    """Return squared Euclidean distances, shape (samples, reference samples).

    They are computed from differences, so that the distances of near neighbours stay exact.
    """
    graph = X.graph
    points = graph.tensor(np.asarray(reference, dtype=np.float64)).name
    axes = graph.tensor(np.array([1])).name
    row, difference, distance = (
        graph.scope.get_unique_variable_name(name) for name in ("row", "difference", "distance")
    )
    # One sample at a time: all at once would hold samples x reference samples x features numbers.
    body = helper.make_graph(
        [
            helper.make_node("Sub", [points, row], [difference]),
            helper.make_node("ReduceSumSquare", [difference, axes], [distance], keepdims=0),
        ],
        "distances",
        [helper.make_tensor_value_info(row, TensorProto.DOUBLE, [reference.shape[1]])],
        [helper.make_tensor_value_info(distance, TensorProto.DOUBLE, [reference.shape[0]])],
    )
    return X.op("Scan", body=body, num_scan_inputs=1)


def nearest(distances: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the smallest distances and their indices, both of shape (samples, count), sorted."""
    graph = distances.graph
    names = [graph.scope.get_unique_variable_name(name) for name in ("nearest", "indices")]
    graph.container.add_node(
        "TopK",
        [distances.name, graph.tensor(np.array([count])).name],
        names,
        op_version=graph.container.target_opset,
        largest=0,
    )
    return Tensor(graph, names[0]), Tensor(graph, names[1])
