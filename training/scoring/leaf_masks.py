"""Sums of the leaves of small trees, by QuickScorer, with vectors of rows.

No row walks down a tree. A row begins with a bit for each leaf of a tree; each node where it goes
right takes away the bits of the leaves on the left; the lowest bit that remains is the row's leaf.
Nodes can come in any order, so a loop over rows compares a node with many rows in one instruction
of the processor. It compares small numbers: a value's rank among the thresholds of its feature.

See C. Lucchese et al., "QuickScorer", SIGIR 2015, and T. Ye et al., "RapidScorer", KDD 2018.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.extending import intrinsic

from training.scoring.trees import Trees

MAX_LEAVES = 64  # of a tree: the bits of the widest mask
_MASK_TYPES = {32: np.uint32, MAX_LEAVES: np.uint64}  # the fewer, the less there is to compile
_MAX_RANK = np.iinfo(np.uint16).max
_BLOCK = 256  # rows, whose ranks and masks fit into the processor's first cache
_TREES_AT_ONCE = 4  # whose leaves are added before a sum is written


class LeafMasks(NamedTuple):
    """Trees as masks of leaves.

    Parameters
    ----------
    features : numpy.ndarray of uint32
        The features that are compared.
    threshold_starts : numpy.ndarray of uint32
        Where each one's thresholds begin, and the last ones end.
    thresholds : numpy.ndarray of float64
        The distinct thresholds of each feature, ascending.
    columns : numpy.ndarray of uint32
        For each node, twice the index of its feature in `features`; 1 more where NaN goes right.
    ranks : numpy.ndarray of uint16
        For each node, the index of its threshold among its feature's.
    masks : numpy.ndarray of uint32 or uint64
        For each node, the leaves that remain where a row goes right.
    node_starts, node_ends : numpy.ndarray of uint32
        The nodes of each tree, in the order of the columns of the sums that the trees add to.
    leaf_starts : numpy.ndarray of uint32
        The column of `table` of each tree's first leaf.
    table : numpy.ndarray of float32 or float64
        Shape (columns, leaves): what a leaf adds to each column, from left to right in each tree.
    """

    features: npt.NDArray[np.uint32]
    threshold_starts: npt.NDArray[np.uint32]
    thresholds: npt.NDArray[np.float64]
    columns: npt.NDArray[np.uint32]
    ranks: npt.NDArray[np.uint16]
    masks: npt.NDArray[Any]
    node_starts: npt.NDArray[np.uint32]
    node_ends: npt.NDArray[np.uint32]
    leaf_starts: npt.NDArray[np.uint32]
    table: npt.NDArray[Any]


def mask_leaves(trees: Trees, table: npt.NDArray[Any], columns: int) -> LeafMasks | None:
    """Return the masks of trees, or None if a tree has too many leaves, or a feature thresholds.

    Parameters
    ----------
    trees : Trees
    table : numpy.ndarray of float32 or float64
        Shape (leaves, columns), or (leaves, 1): see `training.scoring.trees.add_leaves`.
    columns : int
        Of the sums.
    """
    size, tree_count = len(trees.children), len(trees.roots)
    is_leaf = trees.children == np.arange(size)
    leaf_counts = np.add.reduceat(is_leaf.astype(np.int64), trees.roots)
    nodes, leaves = np.flatnonzero(~is_leaf), np.flatnonzero(is_leaf)
    if leaf_counts.max() > MAX_LEAVES or np.isnan(trees.thresholds).any():
        return None
    features, feature = np.unique(trees.columns[nodes] // 2, return_inverse=True)
    starts, thresholds, ranks = _rank_thresholds(trees.thresholds[nodes], feature, len(features))
    if np.diff(starts).max(initial=0) > _MAX_RANK:
        return None
    tree = np.searchsorted(trees.roots, np.arange(size), side="right") - 1
    number, masks = _number_leaves(trees, nodes, is_leaf)
    leaf_starts = np.cumsum([0, *leaf_counts])
    # One more leaf and tree: minus zero, which changes no sum, of a tree that is only a leaf.
    ordered = np.full((table.shape[1], len(leaves) + 1), -0.0, table.dtype)
    ordered[:, leaf_starts[tree[leaves]] + number[leaves]] = table[trees.leaves[leaves]].T
    bounds = np.searchsorted(tree[nodes], np.arange(tree_count + 2))
    order = _order_trees(tree_count, columns // table.shape[1])
    mask_type = next(each for bits, each in _MASK_TYPES.items() if leaf_counts.max() <= bits)
    return LeafMasks(
        features.astype(np.uint32),
        starts.astype(np.uint32),
        thresholds,
        (2 * feature + trees.columns[nodes] % 2).astype(np.uint32),
        ranks.astype(np.uint16),
        masks.astype(mask_type),
        bounds[order].astype(np.uint32),
        bounds[order + 1].astype(np.uint32),
        leaf_starts[order].astype(np.uint32),
        ordered,
    )


def add_leaves(X: npt.NDArray[np.float64], masks: LeafMasks, sums: npt.NDArray[Any]) -> None:
    """Add the leaves that rows fall into, to the last bit as `training.scoring.trees` does.

    Parameters
    ----------
    X : numpy.ndarray of float64
        Shape (rows, features).
    masks : LeafMasks
    sums : numpy.ndarray of float32 or float64
        Shape (columns, rows), in the type of ``masks.table``.
    """
    _compiled(X, *masks, sums)


def _rank_thresholds(
    thresholds: npt.NDArray[np.float64], feature: npt.NDArray[np.int64], count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return where each feature's distinct thresholds begin, these, and each node's index."""
    order = np.lexsort((thresholds, feature))
    before, after = order[:-1], order[1:]
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (feature[before] != feature[after]) | (thresholds[before] != thresholds[after])
    distinct = order[is_new]
    starts = np.searchsorted(feature[distinct], np.arange(count + 1))
    index = np.empty_like(order)
    index[order] = np.cumsum(is_new) - 1
    return starts, thresholds[distinct], index - starts[feature]


def _number_leaves(
    trees: Trees, nodes: npt.NDArray[np.int64], is_leaf: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Return each leaf's number from the left of its tree, and each node's mask."""
    left = trees.children[nodes].astype(np.int64)
    counts, first = is_leaf.astype(np.int64), np.zeros(len(is_leaf), np.int64)
    depth = int(trees.depths.max())
    for _ in range(depth):  # each time one level farther up
        counts[nodes] = counts[left] + counts[left + 1]
    for _ in range(depth):  # and down
        first[left] = first[nodes]
        first[left + 1] = first[nodes] + counts[left]
    one = np.uint64(1)
    on_the_left = ((one << counts[left].astype(np.uint64)) - one) << first[nodes].astype(np.uint64)
    return first, ~on_the_left


def _order_trees(tree_count: int, groups: int) -> npt.NDArray[np.int64]:
    """Return the trees of each group of columns, filled up with the tree that changes no sum."""
    in_turn = np.arange(tree_count).reshape(-1, groups).T
    missing = -in_turn.shape[1] % _TREES_AT_ONCE
    return np.pad(in_turn, ((0, 0), (0, missing)), constant_values=tree_count).ravel()


@intrinsic
def _lowest_bit_of(_: Any, mask: Any) -> Any:
    """Return the index of the lowest bit of a mask that is not zero."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return mask(mask), generate


_lowest_bit: Any = _lowest_bit_of  # which numba calls without the first argument


def _rank(
    X: Any, start: Any, size: Any, features: Any, starts: Any, thresholds: Any, ranks: Any
) -> None:
    """Write how many thresholds of its feature are below each value of a block of rows."""
    values, at = np.empty(_BLOCK), np.empty(_BLOCK, np.uint32)
    for index in range(len(features)):
        feature, count = np.uint64(features[index]), starts[index + 1] - starts[index]
        for row in range(size):
            values[row] = X[start + row, feature]
            at[row] = starts[index]
        remaining = count
        while remaining > 1:  # a binary search, of all rows together
            half = remaining // 2
            for row in range(size):
                is_above = thresholds[np.uint64(at[row] + half - 1)] < values[row]
                at[row] += np.uint32(is_above) * np.uint32(half)
            remaining -= half
        for row in range(size):  # NaN is above no threshold
            is_above = thresholds[np.uint64(at[row])] < values[row]
            rank = np.uint16(at[row] - starts[index] + np.uint32(is_above))
            ranks[2 * index, row] = rank
            ranks[2 * index + 1, row] = np.uint16(count) if np.isnan(values[row]) else rank


_compiled_rank: Any = numba.njit(_rank, nogil=True)


def _find_leaves(
    first: Any, last: Any, columns: Any, node_ranks: Any, node_masks: Any, ranks: Any, masks: Any
) -> None:
    """Leave of the masks of a block of rows what remains after the nodes of a tree."""
    all_leaves = ~np.zeros(1, node_masks.dtype)[0]
    masks[:] = all_leaves
    for node in range(first, last):
        node_rank, node_mask = node_ranks[node], node_masks[node]
        row_ranks = ranks[np.uint64(columns[node])]
        for row in range(_BLOCK):  # a fixed number, for the processor's vectors
            masks[row] &= node_mask if row_ranks[row] > node_rank else all_leaves


_compiled_find_leaves: Any = numba.njit(_find_leaves, nogil=True)


# Indices are unsigned: numba takes signed ones from the end if they are negative.
def _add_leaves(
    X: Any,
    features: Any,
    threshold_starts: Any,
    thresholds: Any,
    columns: Any,
    node_ranks: Any,
    node_masks: Any,
    node_starts: Any,
    node_ends: Any,
    leaf_starts: Any,
    table: Any,
    sums: Any,
) -> None:
    ranks = np.zeros((2 * len(features), _BLOCK), np.uint16)
    masks, at = np.empty(_BLOCK, node_masks.dtype), np.empty((_TREES_AT_ONCE, _BLOCK), np.uint32)
    at_0, at_1, at_2, at_3 = at
    trees_of_a_group = len(leaf_starts) * len(table) // len(sums)
    for block in range(0, len(X), _BLOCK):
        start, size = np.uint64(block), np.uint64(min(_BLOCK, len(X) - block))
        _compiled_rank(X, start, size, features, threshold_starts, thresholds, ranks)
        for tree in range(len(leaf_starts)):
            first, last = node_starts[tree], node_ends[tree]
            _compiled_find_leaves(first, last, columns, node_ranks, node_masks, ranks, masks)
            leaf_start, leaves = leaf_starts[tree], at[tree % _TREES_AT_ONCE]
            for row in range(_BLOCK):
                leaves[row] = leaf_start + np.uint32(_lowest_bit(masks[row]))
            if tree % _TREES_AT_ONCE != _TREES_AT_ONCE - 1:
                continue
            for index in range(len(table)):
                terms = table[index]
                total = sums[tree // trees_of_a_group * len(table) + index]
                for row in range(size):
                    value = total[start + row] + terms[np.uint64(at_0[row])]
                    value = value + terms[np.uint64(at_1[row])] + terms[np.uint64(at_2[row])]
                    total[start + row] = value + terms[np.uint64(at_3[row])]


_compiled: Any = numba.njit(_add_leaves, nogil=True, cache=True)
