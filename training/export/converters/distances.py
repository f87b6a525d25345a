"""Distances between samples and the reference samples that an estimator keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from training.export.converters.tensor import Tensor


def squared_distances(X: Tensor, reference: npt.NDArray[Any], *, in_order: bool = False) -> Tensor:
    """Return squared Euclidean distances, shape (samples, reference samples).

    They are computed from differences, so that the distances of near neighbours stay exact; and
    optionally added from the first feature to the last, so that they equal those of scikit-learn's
    trees to the last bit, and tie where they do.
    """
    graph = X.graph
    points = graph.tensor(np.asarray(reference, dtype=np.float64)).name
    axes, last, axis = (
        graph.tensor(np.array(value)).name for value in ([1], reference.shape[1] - 1, 1)
    )
    row, difference, square, total, distance = (
        graph.unique_name(name) for name in ("row", "difference", "square", "total", "distance")
    )
    add = [helper.make_node("ReduceSumSquare", [difference, axes], [distance], keepdims=0)]
    if in_order:
        add = [
            helper.make_node("Mul", [difference, difference], [square]),
            helper.make_node("CumSum", [square, axis], [total]),
            helper.make_node("Gather", [total, last], [distance], axis=1),
        ]
    # One sample at a time: all at once would hold samples x reference samples x features numbers.
    body = helper.make_graph(
        [helper.make_node("Sub", [points, row], [difference]), *add],
        "distances",
        [helper.make_tensor_value_info(row, TensorProto.DOUBLE, [reference.shape[1]])],
        [helper.make_tensor_value_info(distance, TensorProto.DOUBLE, [reference.shape[0]])],
    )
    return X.op("Scan", body=body, num_scan_inputs=1)


def nearest(distances: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the smallest distances and their indices, both of shape (samples, count), sorted."""
    graph = distances.graph
    names = [graph.unique_name(name) for name in ("nearest", "indices")]
    inputs = [distances.name, graph.tensor(np.array([count])).name]
    graph.nodes.append(helper.make_node("TopK", inputs, names, largest=0))
    return Tensor(graph, names[0]), Tensor(graph, names[1])
