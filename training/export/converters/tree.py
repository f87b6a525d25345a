"""Decision trees: sklearn.tree, and sums of trees for ensembles.

scikit-learn rounds samples to float32, compares them with float64 thresholds and adds the leaves'
values in float64, tree by tree. ONNX's older tree operators compute in float32; `TreeEnsemble`
compares in float64. Here it returns only the index of each tree's leaf. The leaves' values are
looked up and added in scikit-learn's order, so even ties are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from onnx import numpy_helper
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from training.export.converters.outputs import Outputs, from_probabilities
from training.export.converters.registry import converts
from training.export.converters.tensor import ML_DOMAIN, Tensor, concatenate

TREES = (DecisionTreeClassifier, ExtraTreeClassifier)

_BRANCH_LEQ = 0  # of TreeEnsemble's nodes_modes
_SUM = 1  # of TreeEnsemble's aggregate_function
_MAX_NODES = 100_000  # of an operator


class Tree(NamedTuple):
    """A fitted tree as arrays with one element, or row, for each node; the first is the root.

    Parameters
    ----------
    feature : numpy.ndarray of int
        The feature that the node compares.
    threshold : numpy.ndarray of float64
        Values up to it go left.
    left, right : numpy.ndarray of int
        The children.
    missing_left : numpy.ndarray of bool
        Whether NaN goes left.
    is_leaf : numpy.ndarray of bool
        Whether the node has no children.
    values : numpy.ndarray of float64
        Shape (nodes, columns): what a leaf adds to each column of the sum.
    """

    feature: npt.NDArray[Any]
    threshold: npt.NDArray[Any]
    left: npt.NDArray[Any]
    right: npt.NDArray[Any]
    missing_left: npt.NDArray[Any]
    is_leaf: npt.NDArray[Any]
    values: npt.NDArray[Any]


def read_tree(
    estimator: Any,
    values: npt.NDArray[np.float64],
    features: npt.NDArray[Any] | None = None,
) -> Tree:
    """Read a fitted tree with one output, with other leaf values of shape (nodes, columns).

    `features` are the indices of the features it was fitted on, if it was not fitted on all.
    """
    tree = estimator.tree_
    is_leaf = tree.children_left == -1
    feature = np.where(is_leaf, 0, tree.feature)
    return Tree(
        feature if features is None else np.asarray(features)[feature],
        tree.threshold,
        tree.children_left,
        tree.children_right,
        tree.missing_go_to_left.astype(bool),
        is_leaf,
        values,
    )


def leaf_probabilities(estimator: Any) -> npt.NDArray[np.float64]:
    """Return a fitted tree's class probabilities, shape (nodes, classes)."""
    probabilities: npt.NDArray[np.float64] = estimator.tree_.value[:, 0, :]
    return probabilities


def round_to_float32(X: Tensor) -> Tensor:
    """Round float64 samples to float32 precision, as scikit-learn's trees do."""
    return X.cast(np.float32).cast(np.float64)


def sum_of_trees(trees: Sequence[Tree], X: Tensor, start: Tensor | None = None) -> Tensor:
    """Add the values of the leaves that samples fall into, in the trees' order.

    The sum has shape (samples, columns), and begins with `start` of the same shape, or with zero.
    """
    table = np.vstack([tree.values[tree.is_leaf] for tree in trees]).astype(np.float64)
    values = X.graph.tensor(table).take(leaf_indices(trees, X), axis=0)
    if start is not None:
        values = start.op("Unsqueeze", np.array([1])).op("Concat", values, axis=1)
    return values.sum_in_order(axis=1)


def sum_of_boosted_trees(
    trees: Sequence[Tree],
    X: Tensor,
    columns: int,
    start: npt.NDArray[Any] | None = None,
    dtype: npt.DTypeLike = np.float64,
) -> Tensor:
    """Add trees that contribute to one column each, in turn, as boosting fits them.

    Parameters
    ----------
    trees : sequence of Tree
        With one column of values. They are in the order of the iterations, each with one tree for
        every column.
    X : Tensor
        Shape (samples, features).
    columns : int
    start : numpy.ndarray, optional
        What each column's sum begins with, shape (columns,).
    dtype : numpy dtype, default=float64
        The type in which the values are added, one by one.

    Returns
    -------
    Tensor of dtype
        Shape (samples, columns).
    """
    values = np.concatenate([tree.values[tree.is_leaf, 0] for tree in trees]).astype(dtype)
    terms = X.graph.tensor(values).take(leaf_indices(trees, X), axis=0)
    if start is not None:
        first = X.graph.repeat(np.asarray(start, dtype=dtype))
        terms = first.op("Concat", terms, axis=1)
    return terms.reshape(0, -1, columns).sum_in_order(axis=1)


def leaf_indices(trees: Sequence[Tree], X: Tensor) -> Tensor:
    """Return the index of each tree's leaf among all trees' leaves, shape (samples, trees)."""
    indices, first_leaf = [], 0
    for part in _split_trees(trees):
        leaf_count = sum(int(tree.is_leaf.sum()) for tree in part)
        indices.append(_leaf_indices_of_part(part, X, range(first_leaf, first_leaf + leaf_count)))
        first_leaf += leaf_count
    return concatenate(indices).cast(np.int64)


def _split_trees(trees: Sequence[Tree]) -> list[list[Tree]]:
    """Split trees into parts of at most `_MAX_NODES`, if no tree has more.

    To load one operator, ONNX Runtime needs many times the memory of its trees.
    """
    parts: list[list[Tree]] = []
    nodes = _MAX_NODES
    for tree in trees:
        nodes += len(tree.feature)
        if nodes > _MAX_NODES:
            parts.append([])
            nodes = len(tree.feature)
        parts[-1].append(tree)
    return parts


def _leaf_indices_of_part(trees: Sequence[Tree], X: Tensor, leaves: range) -> Tensor:
    """Return the indices of leaves, which are those in a range, as float64."""
    splits = [_read_splits(tree) for tree in trees]
    first_node = np.cumsum([0] + [len(tree.feature) for tree in splits])
    leaf_counts = [int(tree.is_leaf.sum()) for tree in trees]
    first_leaf = np.cumsum([0, *leaf_counts])
    offsets = list(zip(splits, first_node[:-1], first_leaf[:-1], strict=True))

    def children(side: str) -> tuple[list[int], list[int]]:
        ids, flags = [], []
        for tree, node, leaf in offsets:
            child, is_leaf = getattr(tree, side), getattr(tree, f"{side}_is_leaf")
            ids.append(child + np.where(is_leaf, leaf, node))
            flags.append(is_leaf)
        return _integers(ids), _integers(flags)

    true_ids, true_leaves = children("left")
    false_ids, false_leaves = children("right")
    thresholds = np.concatenate([tree.threshold for tree in splits]).astype(np.float64)
    modes = np.full(len(thresholds), _BRANCH_LEQ, dtype=np.uint8)
    return X.op(
        "TreeEnsemble",
        domain=ML_DOMAIN,
        aggregate_function=_SUM,
        n_targets=len(trees),
        nodes_featureids=_integers([tree.feature for tree in splits]),
        nodes_splits=numpy_helper.from_array(thresholds),
        nodes_modes=numpy_helper.from_array(modes),
        nodes_missing_value_tracks_true=_integers([tree.missing_left for tree in splits]),
        nodes_truenodeids=true_ids,
        nodes_trueleafs=true_leaves,
        nodes_falsenodeids=false_ids,
        nodes_falseleafs=false_leaves,
        leaf_targetids=np.repeat(np.arange(len(trees)), leaf_counts).tolist(),
        leaf_weights=numpy_helper.from_array(np.array(leaves, dtype=np.float64)),
        tree_roots=first_node[:-1].tolist(),
        post_transform=0,
    )


class _Splits(NamedTuple):
    """A tree's nodes without its leaves; each side leads to a node or, if it is a leaf, to that."""

    feature: npt.NDArray[Any]
    threshold: npt.NDArray[Any]
    missing_left: npt.NDArray[Any]
    left: npt.NDArray[Any]
    left_is_leaf: npt.NDArray[Any]
    right: npt.NDArray[Any]
    right_is_leaf: npt.NDArray[Any]


def _read_splits(tree: Tree) -> _Splits:
    zero, true = np.zeros(1, dtype=int), np.ones(1, dtype=bool)
    if tree.is_leaf[0]:  # the operator needs a split: this one has the same leaf on both sides
        return _Splits(zero, np.zeros(1), true, zero, true, zero, true)
    inner = ~tree.is_leaf
    number = np.where(tree.is_leaf, np.cumsum(tree.is_leaf), np.cumsum(inner)) - 1
    left, right = tree.left[inner], tree.right[inner]
    return _Splits(
        tree.feature[inner],
        tree.threshold[inner],
        tree.missing_left[inner],
        number[left],
        tree.is_leaf[left],
        number[right],
        tree.is_leaf[right],
    )


def _integers(arrays: Sequence[npt.NDArray[Any]]) -> list[int]:
    integers: list[int] = np.concatenate(arrays).astype(np.int64).tolist()
    return integers


@converts(*TREES)
def _decision_tree(estimator: Any, X: Tensor) -> Outputs:
    tree = read_tree(estimator, leaf_probabilities(estimator))
    return from_probabilities(sum_of_trees([tree], round_to_float32(X)))
