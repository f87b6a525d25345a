"""Hostile objects of ``.skops`` files: none reads a file or crashes the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import skops.io
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer
from sklearn.tree import DecisionTreeClassifier

from chalicelib.errors import InvalidArtifact
from chalicelib.runtimes.skops_audit import check_objects

X, y = load_iris(return_X_y=True)


def loaded(estimator: Any) -> Any:
    """Write and load an estimator, as a server does."""
    return skops.io.loads(skops.io.dumps(estimator), trusted=["sklearn.tree._tree.Tree"])


def forge_nodes(tree: Any, **values: int) -> None:
    """Change fields of a tree's first node."""
    state = tree.__getstate__()
    for name, value in values.items():
        state["nodes"][name][0] = value
    tree.__setstate__(state)


def forged_tree(**values: int) -> ClassifierMixin:
    """Fit a tree and change its first node."""
    estimator = DecisionTreeClassifier(max_depth=2).fit(X, y)
    forge_nodes(estimator.tree_, **values)
    return estimator


def forged_count(count: int) -> ClassifierMixin:
    """Declare another number of nodes than there is."""
    estimator = DecisionTreeClassifier(max_depth=2).fit(X, y)
    state = estimator.tree_.__getstate__()
    estimator.tree_.__setstate__(state | {"node_count": count})
    return estimator


def forged_width() -> ClassifierMixin:
    """Declare fewer features than a tree has, though more than it splits."""
    estimator = DecisionTreeClassifier(max_depth=2).fit(X[:, ::-1], y)
    estimator.n_features_in_ = 3
    return estimator


def forged_forest(width: int) -> ClassifierMixin:
    """Replace a tree of a forest by one of another number of features."""
    estimator = RandomForestClassifier(2).fit(X, y)
    estimator.estimators_[1] = DecisionTreeClassifier().fit(np.hstack([X, X])[:, :width], y)
    return estimator


def forged_boosting() -> ClassifierMixin:
    """Point a node of a predictor outside."""
    estimator = HistGradientBoostingClassifier(max_iter=2).fit(X, y)
    estimator._predictors[0][0].nodes["left"][0] = 999
    return estimator


def forged_categories(first: int, items: int) -> ClassifierMixin:
    """Point a node of a predictor at other categories, or declare more of them."""
    estimator = HistGradientBoostingClassifier(max_iter=2, categorical_features=[2, 3])
    predictor = estimator.fit(X.round(), y)._predictors[0][0]
    is_categorical = predictor.nodes["is_categorical"] != 0
    assert is_categorical.any()
    predictor.nodes["bitset_idx"][is_categorical] += first
    predictor.raw_left_cat_bitsets = np.pad(predictor.raw_left_cat_bitsets, ((0, 0), (0, items)))
    return estimator


def forged_gradient_boosting() -> ClassifierMixin:
    """Point a node of a tree outside; the trees are in an array of objects."""
    estimator = GradientBoostingClassifier(n_estimators=2).fit(X, y)
    forge_nodes(estimator.estimators_[1, 2].tree_, left_child=999)
    return estimator


def forged_neighbors(part: int, change: Callable[[Any], Any]) -> ClassifierMixin:
    """Change a part of a tree of neighbours: its data, indices, nodes or bounds."""
    estimator = KNeighborsClassifier(algorithm="kd_tree").fit(X, y)
    state = list(estimator._tree.__getstate__())
    state[part] = np.ascontiguousarray(change(np.array(state[part])))
    estimator._tree.__setstate__(tuple(state))
    return estimator


def with_first(array: Any, value: int) -> Any:
    """Change the first item of an array."""
    array[0] = value
    return array


def with_nodes(nodes: Any, **values: int) -> Any:
    """Change fields of all nodes."""
    for name, value in values.items():
        nodes[name] = value
    return nodes


def forged_sparse() -> ClassifierMixin:
    """Point an index of sparse coefficients outside."""
    estimator = LogisticRegression(max_iter=1_000).fit(X, y).sparsify()
    estimator.coef_ = sparse.csr_matrix(estimator.coef_)
    estimator.coef_.indices[0] = 10**9
    return estimator


def reader(name: str) -> ClassifierMixin:
    """Read files whose names a request has."""
    estimator = make_pipeline(CountVectorizer(), LogisticRegression())
    estimator.fit(["red", "white"], [0, 1])
    estimator[0].input = name
    return estimator


HOSTILE: dict[str, Callable[[], ClassifierMixin]] = {
    "a child outside": lambda: forged_tree(left_child=999),
    "a child just outside": lambda: forged_tree(left_child=5),
    "a child before its parent": lambda: forged_tree(right_child=0),
    "a negative child": lambda: forged_tree(right_child=-7),
    "a negative child beside none": lambda: forged_tree(left_child=-7, right_child=-1),
    "none beside a negative child": lambda: forged_tree(left_child=-1, right_child=-7),
    "two negative children": lambda: forged_tree(left_child=-7, right_child=-7),
    "one child": lambda: forged_tree(right_child=-1),
    "a feature outside": lambda: forged_tree(feature=4),
    "a feature far outside": lambda: forged_tree(feature=99),
    "a negative feature": lambda: forged_tree(feature=-1),
    "more nodes than there are": lambda: forged_count(1_000_000),
    "no nodes": lambda: forged_count(0),
    "a tree of more features": forged_width,
    "a forest with a wider tree": lambda: forged_forest(8),
    "a forest with a narrower tree": lambda: forged_forest(3),
    "a boosting with a child outside": forged_boosting,
    "a boosting with categories outside": lambda: forged_categories(99, 0),
    "a boosting with categories just outside": lambda: forged_categories(1, 0),
    "a boosting with more categories": lambda: forged_categories(0, 1),
    "a tree in an array of objects": forged_gradient_boosting,
    "a neighbour outside": lambda: forged_neighbors(1, lambda array: with_first(array, 10**9)),
    "a neighbour twice": lambda: forged_neighbors(1, lambda array: with_first(array, array[1])),
    "too few neighbours": lambda: forged_neighbors(1, lambda array: array[:-1]),
    "neighbours before the first": lambda: forged_neighbors(
        2, lambda nodes: with_nodes(nodes, idx_start=-1)
    ),
    "neighbours after the last": lambda: forged_neighbors(
        2, lambda nodes: with_nodes(nodes, idx_end=len(X) + 1)
    ),
    "neighbours that end before they start": lambda: forged_neighbors(
        2, lambda nodes: with_nodes(nodes, idx_start=2, idx_end=1)
    ),
    "bounds of fewer nodes": lambda: forged_neighbors(3, lambda bounds: bounds[:, :-1]),
    "bounds of more nodes": lambda: forged_neighbors(3, lambda bounds: bounds.repeat(2, axis=1)),
    "bounds of more features": lambda: forged_neighbors(3, lambda bounds: bounds.repeat(2, axis=2)),
    "bounds of fewer features": lambda: forged_neighbors(3, lambda bounds: bounds[:, :, :-1]),
    "a sparse index outside": forged_sparse,
    "texts that name files": lambda: reader("filename"),
    "texts that are files": lambda: reader("file"),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_forged_object_is_rejected_before_it_predicts(
    make: Callable[[], ClassifierMixin],
) -> None:
    """Also within a pipeline; scikit-learn's compiled code would follow it without a check."""
    with pytest.raises((InvalidArtifact, ValueError)):  # the latter by SciPy's own check
        check_objects(make())
    with pytest.raises((InvalidArtifact, ValueError)):
        check_objects(make_pipeline("passthrough", make()))


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(),
        DecisionTreeClassifier(min_samples_leaf=100),  # of one node
        RandomForestClassifier(3),
        HistGradientBoostingClassifier(max_iter=3),
        HistGradientBoostingClassifier(max_iter=3, categorical_features=[2, 3]),
        KNeighborsClassifier(algorithm="kd_tree"),
        KNeighborsClassifier(algorithm="ball_tree"),
        make_pipeline(SplineTransformer(), LogisticRegression(max_iter=1_000)),  # holds a module
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_an_honest_estimator_is_accepted(estimator: ClassifierMixin) -> None:
    """What the objects above start from."""
    check_objects(estimator.fit(X.round(), y))  # few values, which may be categories
