"""Distances between samples and the reference samples that an estimator keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from training.export.converters.tensor import Tensor

MAX_TIES = 256  # more samples at one distance than this may be taken in another order


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
    distances = X.op("Scan", body=body, num_scan_inputs=1)
    distances.width = len(reference)
    return distances


def nearest(distances: Tensor, count: int, ranks: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the smallest distances and their indices, both of shape (samples, count), sorted.

    Of equal distances those with the smallest rank are taken, or with the smallest index.
    """
    if ranks is None:
        return _smallest(distances, count)
    width = distances.width or 0
    candidates, indices = _smallest(distances, min(width, count + MAX_TIES))
    candidate_ranks = ranks.op("GatherElements", indices, axis=1)
    _, by_rank = _smallest(candidate_ranks, min(width, count + MAX_TIES))
    ordered = candidates.op("GatherElements", by_rank, axis=1)
    smallest, positions = _smallest(ordered, count)  # of equal values the first
    indices = indices.op("GatherElements", by_rank, axis=1)
    return smallest, indices.op("GatherElements", positions, axis=1)


def kd_tree_ranks(X: Tensor, tree: Any) -> Tensor:
    """Return the order in which a k-d tree visits its points, shape (samples, points).

    Of points at equal distances scikit-learn keeps those that it visits first. It descends into
    the child whose bounding box is closer, the left one of two at equal distances. Source:
    ``_query_single_depthfirst`` in sklearn/neighbors/_binary_tree.pxi.tp.

    Parameters
    ----------
    X : Tensor
        Shape (samples, features).
    tree : sklearn.neighbors.KDTree
    """
    graph = X.graph
    _, order, nodes, bounds = (np.asarray(part) for part in tree.get_arrays())
    boxes = np.transpose(bounds, (1, 0, 2))  # (nodes, lower and upper, features)
    inner = np.flatnonzero(~nodes["is_leaf"].astype(bool))
    constant, signs = _leaf_keys(nodes, inner)
    leaf_of_point = np.empty(len(order), dtype=np.int64)
    position = np.empty(len(order), dtype=np.float64)
    leaves = np.flatnonzero(nodes["is_leaf"])
    for number, leaf in enumerate(leaves):
        points = order[nodes["idx_start"][leaf] : nodes["idx_end"][leaf]]
        leaf_of_point[points] = number
        position[points] = np.arange(len(points))
    names = {
        name: graph.unique_name(name)
        for name in ("row", "below", "above", "gap", "square", "total", "bound")
    }
    n = names
    constants = {
        "lower": boxes[:, 0, :],
        "upper": boxes[:, 1, :],
        "zero": np.zeros(1),
        "axis": np.array(1),
        "last": np.array(boxes.shape[2] - 1),
    }
    c = {name: graph.tensor(value).name for name, value in constants.items()}
    body = helper.make_graph(
        [
            helper.make_node("Sub", [c["lower"], n["row"]], [n["below"]]),
            helper.make_node("Sub", [n["row"], c["upper"]], [n["above"]]),
            # A point is below the box, above it or within; so the largest is the gap.
            helper.make_node("Max", [n["below"], n["above"], c["zero"]], [n["gap"]]),
            helper.make_node("Mul", [n["gap"], n["gap"]], [n["square"]]),
            helper.make_node("CumSum", [n["square"], c["axis"]], [n["total"]]),
            helper.make_node("Gather", [n["total"], c["last"]], [n["bound"]], axis=1),
        ],
        "bounds",
        [helper.make_tensor_value_info(n["row"], TensorProto.DOUBLE, [boxes.shape[2]])],
        [helper.make_tensor_value_info(n["bound"], TensorProto.DOUBLE, [len(boxes)])],
    )
    if not len(inner):
        return graph.repeat(position)
    bounds_of_nodes = X.op("Scan", body=body, num_scan_inputs=1)
    left, right = (bounds_of_nodes.columns(2 * inner + side) for side in (1, 2))
    right_first = (left > right).cast(np.float64)
    keys = right_first @ signs + constant
    return keys.columns(leaf_of_point) * float(len(order)) + position


def _leaf_keys(
    nodes: npt.NDArray[Any], inner: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return what makes numbers in the order of visits of the leaves.

    A leaf's number has a binary digit for each node above it, 1 if the leaf is in the child that is
    visited second. With r = 1 where the right child is first, the numbers are ``r @ signs +
    constant``; `signs` has the shape (inner nodes, leaves), `constant` (leaves,).
    """
    leaves = np.flatnonzero(nodes["is_leaf"])
    depth = int(np.log2(len(nodes) + 1))
    row_of_node = {int(node): row for row, node in enumerate(inner)}
    constant, signs = np.zeros(len(leaves)), np.zeros((len(inner), len(leaves)))
    for column, leaf in enumerate(leaves):
        node = int(leaf)
        while node:
            parent, is_right = (node - 1) // 2, node % 2 == 0
            digit = 2.0 ** (depth - int(np.log2(parent + 1)))
            constant[column] += digit if is_right else 0.0
            signs[row_of_node[parent], column] = -digit if is_right else digit
            node = parent
    return constant, signs


def _smallest(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the smallest values of each row and their indices, sorted; of equal ones the first."""
    graph = values.graph
    names = [graph.unique_name(name) for name in ("smallest", "indices")]
    inputs = [values.name, graph.tensor(np.array([count])).name]
    graph.nodes.append(helper.make_node("TopK", inputs, names, largest=0))
    return Tensor(graph, names[0]), Tensor(graph, names[1])
