"""Boosted trees, and boosting of any classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
)

from training.export.converters.registry import (
    Answer,
    answer,
    by_score,
    of_two,
    one_hot,
    positions,
    writes,
)
from training.export.converters.tensor import Tensor, add_in_order
from training.export.converters.tree import (
    TREES,
    Tree,
    as_trees_see,
    leaf_probabilities,
    read_tree,
    sum_of_trees,
)


@writes(GradientBoostingClassifier)
def _gradient_boosting(estimator: GradientBoostingClassifier, X: Tensor) -> Answer:
    if not isinstance(estimator.init_, DummyClassifier | str):
        raise NotImplementedError("GradientBoostingClassifier with an init of its own")
    start = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_)))[0]
    trees = [
        read_tree(tree, _in_column(estimator.learning_rate * tree.tree_.value[:, 0, :], k, start))
        for stage in estimator.estimators_
        for k, tree in enumerate(stage)
    ]
    raw = sum_of_trees(trees, as_trees_see(X), start)
    if len(start) > 1:
        return by_score(raw, len(start), raw.softmax())
    odds = (raw * 2.0 if estimator.loss == "exponential" else raw).sigmoid()
    return Answer((raw >= 0.0).cast(np.int64).reshape(-1), of_two(odds), raw)


def _in_column(
    values: npt.NDArray[Any], column: int, start: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """Let a tree add to one column only."""
    table = np.zeros((len(values), len(start)))
    table[:, column] = values.reshape(-1)
    return table


@writes(HistGradientBoostingClassifier)
def _histogram_gradient_boosting(estimator: HistGradientBoostingClassifier, X: Tensor) -> Answer:
    start = np.asarray(estimator._baseline_prediction, dtype=np.float64).reshape(-1)
    trees = [
        _read_predictor(predictor, k, start)
        for iteration in estimator._predictors
        for k, predictor in enumerate(iteration)
    ]
    raw = sum_of_trees(trees, X, start)
    classes = len(estimator.classes_)
    return by_score(raw, classes, of_two(raw.sigmoid()) if classes == 2 else raw.softmax())


def _read_predictor(predictor: Any, column: int, start: npt.NDArray[Any]) -> Tree:
    nodes = predictor.nodes
    if nodes["is_categorical"].any():
        raise NotImplementedError("HistGradientBoostingClassifier with categorical features")
    return Tree(
        nodes["feature_idx"],
        nodes["num_threshold"],
        nodes["left"].astype(np.int64),
        nodes["right"].astype(np.int64),
        nodes["missing_go_to_left"].astype(bool),
        nodes["is_leaf"].astype(bool),
        _in_column(nodes["value"], column, start),
    )


@writes(AdaBoostClassifier)
def _ada_boost(estimator: AdaBoostClassifier, X: Tensor) -> Answer:
    classes, weights = len(estimator.classes_), estimator.estimator_weights_
    if all(isinstance(each, TREES) for each in estimator.estimators_):
        total = _sum_of_boosted_trees(estimator, X)
    else:
        total = _sum_of_boosted(estimator, X)
    scores = total / float(weights.sum())
    if classes > 2:
        return by_score(scores, classes, (scores / (classes - 1.0)).softmax())
    scores = (scores * np.array([-1.0, 1.0])).sum()
    probabilities = (-scores).op("Concat", scores, axis=1) / 2.0
    return by_score(scores, classes, probabilities.softmax())


def _votes(weight: float, classes: int) -> tuple[float, float]:
    """Give what an estimator adds to the class it predicts, and to each other class."""
    return float(weight), float(-1 / (classes - 1) * weight)


def _sum_of_boosted_trees(estimator: AdaBoostClassifier, X: Tensor) -> Tensor:
    trees, classes = [], estimator.classes_
    for each, weight in zip(estimator.estimators_, estimator.estimator_weights_, strict=False):
        predicted = positions(each.classes_, classes)[leaf_probabilities(each).argmax(axis=1)]
        is_predicted = predicted[:, np.newaxis] == np.arange(len(classes))
        trees.append(read_tree(each, np.where(is_predicted, *_votes(weight, len(classes)))))
    return sum_of_trees(trees, as_trees_see(X))


def _sum_of_boosted(estimator: AdaBoostClassifier, X: Tensor) -> Tensor:
    added, classes = [], estimator.classes_
    for each, weight in zip(estimator.estimators_, estimator.estimator_weights_, strict=False):
        known = X.graph.tensor(positions(each.classes_, classes))
        predicted = one_hot(known.take(answer(each, X).predicted, axis=0), len(classes))
        added.append(predicted.where(*_votes(weight, len(classes))))
    return add_in_order(added)
