"""Sums of the leaves that rows fall into, tree by tree: ONNX's TreeEnsemble, compiled by numba.

ONNX Runtime takes one row at a time down a tree, and the processor mispredicts many of the turns.
Here a step is arithmetic, as a node's children are neighbours and a leaf leads to itself, and the
rows of a block take each step together, so that the processor overlaps them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

_BLOCK = 64  # rows, whose values fit into the processor's first cache
_UNCHECKED_STEPS = 8  # later ones end when no row of the block moves
_LESS_OR_EQUAL = 0  # of nodes_modes


class Trees(NamedTuple):
    """Trees as arrays with an element for each node or leaf: tree by tree, level by level.

    Parameters
    ----------
    roots : numpy.ndarray of uint32
        The first node of each tree.
    depths : numpy.ndarray of int64
        The steps from there to the farthest leaf.
    columns : numpy.ndarray of uint32
        Twice the feature that is compared; 1 more where NaN goes right.
    thresholds : numpy.ndarray of float64
        Values up to it go left; infinity for a leaf.
    children : numpy.ndarray of uint32
        The left child, which the right one follows; a leaf's is itself.
    leaves : numpy.ndarray of uint32
        The row of a leaf in the table of values.
    """

    roots: npt.NDArray[np.uint32]
    depths: npt.NDArray[np.int64]
    columns: npt.NDArray[np.uint32]
    thresholds: npt.NDArray[np.float64]
    children: npt.NDArray[np.uint32]
    leaves: npt.NDArray[np.uint32]


def read_trees(attributes: Mapping[str, Any]) -> Trees:
    """Return the trees of a TreeEnsemble that returns the number of each tree's leaf.

    Parameters
    ----------
    attributes : mapping of str to numpy.ndarray
        See https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html

    Raises
    ------
    ValueError
        If it is another TreeEnsemble.
    """
    node_count, tree_count = len(attributes["nodes_splits"]), len(attributes["tree_roots"])
    # Leaves are numbered after the nodes here.
    pairs = np.stack(
        [
            attributes[f"nodes_{side}nodeids"] + node_count * attributes[f"nodes_{side}leafs"]
            for side in ("true", "false")
        ],
        axis=1,
    )
    level, tree = attributes["tree_roots"], np.arange(tree_count)
    levels, trees, depths = [level], [tree], np.zeros(tree_count, np.int64)
    while (is_node := level < node_count).any():
        level, tree = pairs[level[is_node]].ravel(), np.repeat(tree[is_node], 2)
        depths[tree] = len(levels)
        levels.append(level)
        trees.append(tree)
    numbers, tree = np.concatenate(levels), np.concatenate(trees)
    is_node = numbers < node_count
    children = np.arange(len(numbers))
    children[is_node] = tree_count + 2 * np.arange(is_node.sum())
    order = np.argsort(tree, kind="stable")
    positions = np.empty_like(order)
    positions[order] = np.arange(len(order))
    children = positions[children][order]
    numbers, is_node, tree = numbers[order], is_node[order], tree[order]
    nodes, leaves = numbers[is_node], numbers[~is_node] - node_count
    if (
        attributes["nodes_modes"].any()
        or (attributes["leaf_targetids"][leaves] != tree[~is_node]).any()
    ):
        raise ValueError("The ensemble compares otherwise, or adds leaves of several trees.")
    goes_right = attributes["nodes_missing_value_tracks_true"][nodes] == 0
    return Trees(
        positions[:tree_count].astype(np.uint32),
        depths,
        _fill(is_node, 0, 2 * attributes["nodes_featureids"][nodes] + goes_right, np.uint32),
        _fill(is_node, np.inf, attributes["nodes_splits"][nodes], np.float64),
        children.astype(np.uint32),
        _fill(~is_node, 0, attributes["leaf_weights"][leaves], np.uint32),
    )


def join_trees(parts: Sequence[Trees]) -> Trees:
    """Join the trees of several ensembles."""
    offsets = np.cumsum([0, *(len(part.children) for part in parts[:-1])]).astype(np.uint32)
    shifted = [
        part._replace(roots=part.roots + offset, children=part.children + offset)
        for part, offset in zip(parts, offsets, strict=True)
    ]
    return Trees(*map(np.concatenate, zip(*shifted, strict=True)))


def add_leaves(
    X: npt.NDArray[np.float64], trees: Trees, table: npt.NDArray[Any], sums: npt.NDArray[Any]
) -> None:
    """Add the values of the leaves that rows fall into, in the order of the trees.

    Parameters
    ----------
    X : numpy.ndarray of float64
        Shape (rows, features).
    trees : Trees
    table : numpy.ndarray of float32 or float64
        Shape (leaves, columns): what a leaf adds to each column of the sums; or shape (leaves, 1),
        if the trees add to one column each, in turn.
    sums : numpy.ndarray of float32 or float64
        Shape (columns, rows), in the type of `table`.
    """
    _compiled(X, *trees, table, sums)


def _fill(
    where: npt.NDArray[np.bool_], other: float, values: npt.NDArray[Any], dtype: type
) -> npt.NDArray[Any]:
    filled: npt.NDArray[Any] = np.full(len(where), other, dtype)
    filled[where] = values
    return filled


# Indices are unsigned: numba takes signed ones from the end if they are negative.
def _descend(at: Any, size: Any, values: Any, columns: Any, thresholds: Any, children: Any) -> Any:
    """Take each row of a block one step down; return what is not zero if one moves."""
    moved = np.uint32(0)
    for row in range(size):
        node = np.uint64(at[row])
        value = values[np.uint64(columns[node]) * np.uint64(_BLOCK) + row]
        child = children[node] + np.uint32(not value <= thresholds[node])
        moved |= child ^ at[row]
        at[row] = child
    return moved


_compiled_descend: Any = numba.njit(_descend, nogil=True)


def _add_leaves(
    X: Any,
    roots: Any,
    depths: Any,
    columns: Any,
    thresholds: Any,
    children: Any,
    leaves: Any,
    table: Any,
    sums: Any,
) -> None:
    rows, width = X.shape
    table_width, flat_table = np.uint64(table.shape[1]), table.reshape(-1)
    values, at = np.empty(2 * width * _BLOCK), np.empty(_BLOCK, np.uint32)
    for start in range(0, rows, _BLOCK):
        size = np.uint64(min(_BLOCK, rows - start))
        for feature in range(width):
            for row in range(size):
                value = X[start + row, feature]
                place = np.uint64(2 * feature * _BLOCK) + row
                values[place] = -np.inf if np.isnan(value) else value
                values[place + np.uint64(_BLOCK)] = value
        for tree in range(len(roots)):
            root = np.uint64(roots[tree])
            first = np.uint64(columns[root]) * np.uint64(_BLOCK)
            for row in range(size):  # without a look-up for each row
                at[row] = children[root] + np.uint32(not values[first + row] <= thresholds[root])
            checked = min(depths[tree], _UNCHECKED_STEPS)
            for _ in range(1, checked):
                _compiled_descend(at, size, values, columns, thresholds, children)
            for _ in range(checked, depths[tree]):
                if not _compiled_descend(at, size, values, columns, thresholds, children):
                    break
            for row in range(size):
                at[row] = leaves[np.uint64(at[row])]
            column = 0 if table.shape[1] == len(sums) else tree % len(sums)
            for index in range(table_width):
                total = sums[column + index]
                for row in range(size):
                    value = flat_table[np.uint64(at[row]) * table_width + index]
                    total[np.uint64(start) + row] += value


_compiled: Any = numba.njit(_add_leaves, nogil=True, cache=True)
