"""The order in which scikit-learn's k-d trees and ball trees visit their points."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import KDTree

from training.export.converters.distances import Metric
from training.export.converters.tensor import Tensor


def visiting_order(tree: Any, sample: Tensor, metric: Metric) -> Tensor:
    """Return the indices of a tree's points in the order of its visits.

    A search descends into the child whose points are closer, at least by their bounds, and into the
    left one of two that are equally close. Nodes that it leaves out have no near points. Source:
    ``_query_single_depthfirst`` in sklearn/neighbors/_binary_tree.pxi.tp.

    Parameters
    ----------
    tree : sklearn.neighbors.KDTree or sklearn.neighbors.BallTree
    sample : Tensor
        Shape (features, 1).
    metric : Metric

    Returns
    -------
    Tensor of int64
        Shape (slots,): the number of points stands for an empty slot.
    """
    _, order, nodes, bounds = (np.asarray(part) for part in tree.get_arrays())
    leaves = nodes[len(nodes) // 2 :]  # all are on the last level
    width = int((leaves["idx_end"] - leaves["idx_start"]).max())
    points = np.full((len(leaves), width), len(order), dtype=np.int64)
    for leaf, (start, end) in enumerate(zip(leaves["idx_start"], leaves["idx_end"], strict=True)):
        points[leaf, : end - start] = order[start:end]
    slots = sample.graph.tensor(points)
    if len(leaves) > 1:
        if isinstance(tree, KDTree):
            distances = _box_distances(sample, bounds, metric)
        else:
            distances = _ball_distances(sample, bounds[0], nodes["radius"], metric)
        children = distances.slice(1, len(nodes)).reshape(-1, 2)
        is_right_first = (children.column(0) > children.column(1)).cast(np.float64).reshape(-1)
        slots = slots.take(_leaf_order(is_right_first, len(leaves)), axis=0)
    visits = slots.reshape(-1)
    visits.width = points.size
    return visits


def _box_distances(sample: Tensor, bounds: npt.NDArray[Any], metric: Metric) -> Tensor:
    """Return reduced distances from the boxes of a k-d tree, shape (nodes,)."""
    lower, upper = (sample.graph.tensor(np.ascontiguousarray(bound.T)) for bound in bounds)
    # A sample is below the box, above it or within; so the largest is the gap.
    return metric.reduced((lower - sample).op("Max", sample - upper, 0.0))


def _ball_distances(
    sample: Tensor, centers: npt.NDArray[Any], radii: npt.NDArray[Any], metric: Metric
) -> Tensor:
    """Return reduced distances from the balls of a ball tree, shape (nodes,)."""
    points = sample.graph.tensor(np.ascontiguousarray(centers.T))
    distances = metric.distance(metric.reduced(points - sample))
    return metric.reduce((distances - radii.copy()).op("Max", 0.0))


def _leaf_order(is_right_first: Tensor, leaves: int) -> Tensor:
    """Return the leaves in the order of visits, shape (leaves,).

    A leaf's place has a binary digit for each node above it, 1 if the leaf is in the child that is
    visited second. `is_right_first` has one element for each inner node, from the root on.
    """
    depth = leaves.bit_length() - 1
    leaf, level = np.arange(leaves), np.arange(depth).reshape(-1, 1)
    node = 2**level - 1 + (leaf >> (depth - level))
    is_in_right = ((leaf >> (depth - 1 - level)) & 1).astype(np.float64)
    is_second = (is_right_first.take(node, axis=0) - is_in_right).abs()
    place = (is_second * 2.0 ** (depth - 1 - level)).sum(axis=0).reshape(-1)
    return place.top_k(leaves)[1]
