"""The nearest neighbours of a sample, and which of equally distant ones scikit-learn takes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from training.export.converters.binary_tree import visiting_order
from training.export.converters.distances import Metric, read_metric
from training.export.converters.kernels import cosine_similarity
from training.export.converters.special_functions import limit
from training.export.converters.tensor import Tensor

_TREES = ("kd_tree", "ball_tree")
_MAX_COUNT = 128  # of neighbours: with more, the first of equally distant samples are taken
_FIRST_BLOCK = 256  # points that are all compared with each other


def nearest(
    estimator: Any, X: Tensor, count: int, votes: npt.NDArray[Any] | None = None
) -> tuple[Tensor, Tensor]:
    """Find the nearest neighbours as an estimator of sklearn.neighbors does.

    Parameters
    ----------
    estimator : estimator
        Fitted, such as a `KNeighborsClassifier`.
    X : Tensor
        Shape (samples, features).
    count : int
        Number of neighbours.
    votes : numpy.ndarray, optional
        Shape (reference samples,): which of equally distant samples are taken makes no difference
        if they are equal here.

    Returns
    -------
    distances, indices : Tensor of float64, Tensor of int64
        Shape (samples, count), sorted by distance.
    """
    reference = np.asarray(estimator._fit_X, dtype=np.float64)
    if estimator.effective_metric_ == "cosine":  # not one of the trees' metrics
        return limit(1.0 - cosine_similarity(X, reference), 0.0, 2.0).top_k(count)
    metric = read_metric(estimator)
    points = X.graph.tensor(np.ascontiguousarray(reference.T))
    codes = None if votes is None else votes.astype(np.float64)

    def find(row: Tensor) -> Tensor:
        sample = row.reshape(-1, 1)
        reduced = metric.reduced(points - sample)
        order = functools.partial(_search_order, estimator, sample, metric)
        smallest, indices = _take_nearest(reduced, len(reference), count, order, codes)
        return metric.distance(smallest).op("Concat", indices.cast(np.float64), axis=0)

    found = X.map_rows(find, width=2 * count)
    distances, indices = (found.columns(half) for half in np.split(np.arange(2 * count), 2))
    return distances, indices.cast(np.int64)


def _search_order(estimator: Any, sample: Tensor, metric: Metric) -> Tensor:
    """Return the indices of the reference samples in the order of a search."""
    if estimator._fit_method in _TREES:
        return visiting_order(estimator._tree, sample, metric)
    order = sample.graph.tensor(np.arange(len(estimator._fit_X)))
    order.width = len(estimator._fit_X)
    return order


def _take_nearest(
    reduced: Tensor,
    size: int,
    count: int,
    find_order: Callable[[], Tensor],
    votes: npt.NDArray[Any] | None,
) -> Sequence[Tensor]:
    """Return the smallest of `size` distances and their indices, both of shape (count,)."""
    if size <= count or count > _MAX_COUNT:
        return reduced.top_k(count)
    smallest, indices = reduced.top_k(count + 1)
    last = smallest.slice(count - 1, count)
    is_tie = last.equal(smallest.slice(count, count + 1))
    if votes is not None:
        is_tie = is_tie.op("And", _differ(votes, reduced.equal(last)))
    return reduced.graph.choose(
        is_tie,
        lambda: _resolve_tie(reduced, find_order(), count),
        lambda: (smallest.slice(0, count), indices.slice(0, count)),
    )


def _differ(votes: npt.NDArray[Any], tied: Tensor) -> Tensor:
    """Return whether the votes of tied samples differ, shape (1,)."""
    lowest = tied.where(votes, votes.max()).op("ReduceMin", np.array([0]))
    return tied.where(votes, votes.min()).op("ReduceMax", np.array([0])) > lowest


def _resolve_tie(reduced: Tensor, order: Tensor, count: int) -> Sequence[Tensor]:
    """Return the nearest samples that are left when all have been pushed onto a heap.

    The heap has `count` elements. A push replaces the largest, which of equal ones depends on the
    pushes before. Source: ``heap_push`` in sklearn/utils/_heap.pyx.
    """
    size = order.width or 0
    ordered = reduced.append(np.inf).take(order, axis=0)  # empty slots are infinitely far
    if size > max(_FIRST_BLOCK, count):
        is_candidate = _find_candidates(ordered, size, count)
        ordered, order = (each.op("Compress", is_candidate, axis=0) for each in (ordered, order))
    is_pushed = _find_pushed(ordered, count)
    ordered, order = (each.op("Compress", is_pushed, axis=0) for each in (ordered, order))
    heap = _push_all(ordered, count)
    smallest, positions = ordered.append(np.inf).take(heap, axis=0).top_k(count)
    heap = heap.take(positions, axis=0)
    return smallest, order.append(0).take(heap, axis=0)


def _find_candidates(ordered: Tensor, size: int, count: int) -> Tensor:
    """Return the points, of `size`, that are closer than `count` others in the blocks before.

    Each block is as long as all before it. The first is taken as it is.
    """
    start = max(_FIRST_BLOCK, count)
    masks = [ordered.graph.tensor(np.ones(start, dtype=np.bool_))]
    nearest_before, _ = ordered.slice(0, start).top_k(count)
    while start < size:
        block = ordered.slice(start, min(2 * start, size))
        masks.append(block < nearest_before.slice(count - 1, count))
        nearest_before, _ = nearest_before.op("Concat", block, axis=0).top_k(count)
        start *= 2
    return masks[0].op("Concat", *masks[1:], axis=0)


def _find_pushed(ordered: Tensor, count: int) -> Tensor:
    """Return the points that have fewer than `count` before them that are not farther."""
    is_not_farther = ordered.reshape(1, -1) <= ordered.reshape(-1, 1)
    before = is_not_farther.op("Trilu", np.array(-1), upper=0)
    return (before.cast(np.float64).sum() < float(count)).reshape(-1)


def _push_all(values: Tensor, count: int) -> Tensor:
    """Push all values onto a heap and return it, shape (count,).

    The elements of the heap are positions in `values`. At first they are that of an infinite value,
    which follows the others.
    """
    graph, length = values.graph, values.op("Shape")
    # The tree is made complete with elements that are never moved up.
    extended, levels = values.append(np.inf).append(-np.inf), count.bit_length()
    is_filler = np.arange(2**levels - 1) >= count
    heap = length + is_filler.astype(np.int64)
    positions = graph.op("Range", np.array(0), length.reshape(), np.array(1))
    before, position = (Tensor(graph, graph.unique_name(name)) for name in ("heap", "position"))
    inputs = [
        helper.make_tensor_value_info(before.name, TensorProto.INT64, [len(is_filler)]),
        helper.make_tensor_value_info(position.name, TensorProto.INT64, []),
    ]
    body = graph.subgraph(lambda: [_push(before, position.reshape(1), extended, levels)], inputs)
    return heap.op("Scan", positions, body=body, num_scan_inputs=1).slice(0, count)


def _push(heap: Tensor, pushed: Tensor, values: Tensor, levels: int) -> Tensor:
    """Replace the root of a heap by a smaller element; return the heap.

    The elements on the path to the larger child of each node move up by one, as far as they are
    larger than the new one, which gets the place behind them.
    """
    if levels == 1:
        return pushed
    nodes = [heap.graph.tensor(np.array([0]))]
    for _ in range(levels - 1):
        children = nodes[-1] * np.array(2) + np.array([1, 2])
        larger = values.take(heap.take(children, axis=0), axis=0).op("ArgMax", axis=0)
        nodes.append(children.take(larger, axis=0))
    path = nodes[0].op("Concat", *nodes[1:], axis=0)
    below = heap.take(path.slice(1, levels), axis=0)
    is_larger = values.take(below, axis=0) > values.take(pushed, axis=0)
    is_vacant = heap.graph.op("Concat", np.array([True]), is_larger, axis=0)
    kept = is_vacant.where(pushed, pushed.op("Concat", below, axis=0))
    moved = is_larger.append(False).where(below.op("Concat", pushed, axis=0), kept)
    return heap.op("ScatterElements", path, moved, axis=0)
