"""Which interval a number falls into: bins, quantiles and the pieces of a spline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from training.export.converters.tensor import Tensor
from training.export.converters.tree import Tree, leaf_indices


def segment_indices(X: Tensor, edges: Sequence[npt.NDArray[Any]]) -> Tensor:
    """Return the index of each number's segment, shape (samples, features).

    A feature with n sorted edges has n + 1 segments, and an edge belongs to the segment above it:
    the index is the number of edges up to the value, plus the number of segments of all features
    before. It is found as in a search tree, so the cost is the logarithm of n.
    """
    trees = [_search_tree(feature, values) for feature, values in enumerate(edges)]
    return leaf_indices(trees, X)


def _search_tree(feature: int, edges: npt.NDArray[Any]) -> Tree:
    """Return a balanced tree whose leaves are the segments, from left to right."""
    # "Up to the largest number below the edge" is "less than the edge".
    below = np.nextafter(np.asarray(edges, dtype=np.float64), -np.inf)
    thresholds: list[float] = []
    children: list[tuple[int, int]] = []

    def add_node(first: int, last: int) -> int:
        node = len(thresholds)
        middle = (first + last) // 2
        is_leaf = first == last
        thresholds.append(0.0 if is_leaf else float(below[middle]))
        children.append((-1, -1))
        if not is_leaf:
            children[node] = add_node(first, middle), add_node(middle + 1, last)
        return node

    add_node(0, len(below))
    left, right = np.array(children).T
    count = len(thresholds)
    return Tree(
        np.full(count, feature),
        np.array(thresholds),
        left,
        right,
        np.zeros(count, dtype=bool),
        left == -1,
        np.zeros((count, 1)),
    )


def interpolate(X: Tensor, x: Sequence[npt.NDArray[Any]], y: Sequence[npt.NDArray[Any]]) -> Tensor:
    """Interpolate each feature as `numpy.interp` does; `x` and `y` have one array per feature."""
    index = segment_indices(X, x)
    tables = [_lines(*points) for points in zip(x, y, strict=True)]
    start, slope, offset = (
        X.graph.tensor(np.concatenate(values)).take(index, axis=0)
        for values in zip(*tables, strict=True)
    )
    return (X - start) * slope + offset


def _lines(
    x: npt.NDArray[Any], y: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return start, slope and offset of the line of each segment, constant beyond the ends."""
    width = np.diff(x)
    slope = np.divide(np.diff(y), width, out=np.zeros_like(width), where=width > 0)
    return np.r_[0.0, x[:-1], 0.0], np.r_[0.0, slope, 0.0], np.r_[y[0], y[:-1], y[-1]]
