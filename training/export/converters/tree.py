"""Decision trees, alone and in forests.

scikit-learn casts samples to float32, compares them with float64 thresholds and adds the leaves'
values in float64, tree by tree. ONNX's tree operators of old give float32; `TreeEnsemble` runs in
float64. Here it says only which leaf of each tree a sample falls into; what the leaves hold is
looked up and added in scikit-learn's order, so that even ties are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from onnx import numpy_helper
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from training.export.converters.registry import Answer, by_probability, writes
from training.export.converters.tensor import MACHINE_LEARNING, Tensor

TREES = (DecisionTreeClassifier, ExtraTreeClassifier)

_LEQ = 0  # BRANCH_LEQ of TreeEnsemble's nodes_modes
_SUM = 1  # of its aggregate_function


class Tree(NamedTuple):
    """A fitted tree, node by node; the first is the root.

    Parameters
    ----------
    feature : numpy.ndarray of int
        The feature that each node looks at.
    threshold : numpy.ndarray of float64
        A value up to it goes to the left.
    left, right : numpy.ndarray of int
        The children.
    missing_left : numpy.ndarray of bool
        Whether NaN goes to the left.
    is_leaf : numpy.ndarray of bool
        Whether the node has no children.
    values : numpy.ndarray of float64
        Shape (nodes, columns): what each leaf adds to the sums.
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
    """Read a tree of scikit-learn.

    Parameters
    ----------
    estimator : decision tree
        Fitted, for one output.
    values : numpy.ndarray of float64
        Shape (nodes, columns): what its leaves add.
    features : numpy.ndarray of int, optional
        The features that it was fitted on, if not all of them.

    Returns
    -------
    Tree
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
    """Give a tree's class probabilities.

    Parameters
    ----------
    estimator : decision tree
        Fitted, for one output.

    Returns
    -------
    numpy.ndarray of float64
        Shape (nodes, classes).
    """
    probabilities: npt.NDArray[np.float64] = estimator.tree_.value[:, 0, :]
    return probabilities


def as_trees_see(X: Tensor) -> Tensor:
    """Round samples to float32, as scikit-learn's trees do.

    Parameters
    ----------
    X : Tensor of float64
        Shape (samples, features).

    Returns
    -------
    Tensor of float64
    """
    return X.cast(np.float32).cast(np.float64)


def sum_of_trees(
    trees: Sequence[Tree], X: Tensor, start: npt.NDArray[np.float64] | None = None
) -> Tensor:
    """Write the sum of what the trees' leaves hold, in the trees' order.

    Parameters
    ----------
    trees : sequence of Tree
        At least one.
    X : Tensor of float64
        Shape (samples, features).
    start : numpy.ndarray of float64, optional
        Shape (columns,): what the sums start with, if not with zero.

    Returns
    -------
    Tensor of float64
        Shape (samples, columns).
    """
    leaves = _leaves(trees, X)
    tables = [tree.values[tree.is_leaf] for tree in trees]
    if start is not None:  # one more tree, as it were, of a single leaf
        leaves = leaves.op("Pad", np.array([0, 0, 0, 1]), np.array(sum(map(len, tables))))
        leaves = leaves.columns([len(trees), *range(len(trees))])
        tables.append(np.reshape(start, (1, -1)))
    values = X.graph.tensor(np.vstack(tables).astype(np.float64)).take(leaves, axis=0)
    return values.running_sum(axis=1)


def _leaves(trees: Sequence[Tree], X: Tensor) -> Tensor:
    """Write which leaf of each tree a sample falls into, all trees' leaves being numbered."""
    nodes = [_splits(tree) for tree in trees]
    first_node = np.cumsum([0] + [len(each.feature) for each in nodes])
    leaf_counts = [int(tree.is_leaf.sum()) for tree in trees]
    first_leaf = np.cumsum([0, *leaf_counts])
    starts = list(zip(nodes, first_node[:-1], first_leaf[:-1], strict=True))

    def children(side: str) -> tuple[list[int], list[int]]:
        ids, flags = [], []
        for each, node, leaf in starts:
            child, is_leaf = getattr(each, side), getattr(each, f"{side}_is_leaf")
            ids.append(child + np.where(is_leaf, leaf, node))
            flags.append(is_leaf)
        return _integers(ids), _integers(flags)

    true_ids, true_leaves = children("left")
    false_ids, false_leaves = children("right")
    thresholds = np.concatenate([each.threshold for each in nodes]).astype(np.float64)
    numbers = np.arange(first_leaf[-1], dtype=np.float64)
    return X.op(
        "TreeEnsemble",
        domain=MACHINE_LEARNING,
        aggregate_function=_SUM,
        n_targets=len(trees),
        nodes_featureids=_integers([each.feature for each in nodes]),
        nodes_splits=numpy_helper.from_array(thresholds),
        nodes_modes=numpy_helper.from_array(np.full(len(thresholds), _LEQ, dtype=np.uint8)),
        nodes_missing_value_tracks_true=_integers([each.missing_left for each in nodes]),
        nodes_truenodeids=true_ids,
        nodes_trueleafs=true_leaves,
        nodes_falsenodeids=false_ids,
        nodes_falseleafs=false_leaves,
        leaf_targetids=np.repeat(np.arange(len(trees)), leaf_counts).tolist(),
        leaf_weights=numpy_helper.from_array(numbers),
        tree_roots=[int(node) for node in first_node[:-1]],
        post_transform=0,
    ).cast(np.int64)


class _Splits(NamedTuple):
    """A tree's nodes without its leaves, and where each side leads: to a node or to a leaf."""

    feature: npt.NDArray[Any]
    threshold: npt.NDArray[Any]
    missing_left: npt.NDArray[Any]
    left: npt.NDArray[Any]
    left_is_leaf: npt.NDArray[Any]
    right: npt.NDArray[Any]
    right_is_leaf: npt.NDArray[Any]


def _splits(tree: Tree) -> _Splits:
    zero, yes = np.zeros(1, dtype=int), np.ones(1, dtype=bool)
    if tree.is_leaf[0]:  # the operator wants a split: one whose sides are the same
        return _Splits(zero, np.zeros(1), yes, zero, yes, zero, yes)
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
    return [int(each) for each in np.concatenate(arrays)]


@writes(*TREES)
def _tree(estimator: Any, X: Tensor) -> Answer:
    tree = read_tree(estimator, leaf_probabilities(estimator))
    return by_probability(sum_of_trees([tree], as_trees_see(X)))


@writes(RandomForestClassifier, ExtraTreesClassifier)
def _forest(estimator: Any, X: Tensor) -> Answer:
    trees = [read_tree(each, leaf_probabilities(each)) for each in estimator.estimators_]
    return by_probability(sum_of_trees(trees, as_trees_see(X)) / len(trees))
