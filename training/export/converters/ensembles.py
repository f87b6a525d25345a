"""Classifiers that average, count or stack what other classifiers say."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.semi_supervised import SelfTrainingClassifier

from training.export.converters.registry import (
    Answer,
    answer,
    by_probability,
    one_hot,
    required,
    writes,
)
from training.export.converters.tensor import Tensor, add_in_order, concatenate
from training.export.converters.tree import (
    TREES,
    as_trees_see,
    leaf_probabilities,
    read_tree,
    sum_of_trees,
)


@writes(BaggingClassifier)
def _bagging(estimator: BaggingClassifier, X: Tensor) -> Answer:
    if all(isinstance(each, TREES) for each in estimator.estimators_):
        total = _sum_of_bagged_trees(estimator, X)
    else:
        total = add_in_order(_bagged(estimator, X))
    return by_probability(total / float(len(estimator.estimators_)), _bagged_scores(estimator, X))


def _spread(estimator: BaggingClassifier, each: Any) -> np.ndarray:
    """Give the matrix that puts a part's classes, which are positions, among all of them."""
    return np.eye(len(estimator.classes_))[np.asarray(each.classes_, dtype=np.int64)]


def _sum_of_bagged_trees(estimator: BaggingClassifier, X: Tensor) -> Tensor:
    parts = zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    trees = [
        read_tree(each, leaf_probabilities(each) @ _spread(estimator, each), features)
        for each, features in parts
    ]
    return sum_of_trees(trees, as_trees_see(X))


def _bagged(estimator: BaggingClassifier, X: Tensor) -> list[Tensor]:
    added = []
    for each, features in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        said = answer(each, X.columns(features))
        if hasattr(each, "predict_proba"):
            shares = required(said.probabilities, each)
        else:
            shares = one_hot(said.predicted, len(each.classes_)).cast(np.float64)
        added.append(shares @ _spread(estimator, each))
    return added


def _bagged_scores(estimator: BaggingClassifier, X: Tensor) -> Tensor | None:
    if not hasattr(estimator, "decision_function"):
        return None
    parts = zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    scores = [required(answer(each, X.columns(use)).scores, each) for each, use in parts]
    return add_in_order(scores) / float(len(scores))


@writes(VotingClassifier)
def _voting(estimator: VotingClassifier, X: Tensor) -> Answer:
    said = [answer(each, X) for each in estimator.estimators_]
    weights = estimator._weights_not_none
    if estimator.voting == "hard":
        votes = [one_hot(each.predicted, len(estimator.classes_)).cast(np.float64) for each in said]
        return Answer(_weighted_sum(votes, weights).argmax())
    parts = zip(said, estimator.estimators_, strict=True)
    probabilities = [required(each.probabilities, part) for each, part in parts]
    total = float(len(said) if weights is None else np.sum(weights))
    return by_probability(_weighted_sum(probabilities, weights) / total)


def _weighted_sum(parts: list[Tensor], weights: list[float] | None) -> Tensor:
    if weights is None:
        return add_in_order(parts)
    return add_in_order([p * float(w) for p, w in zip(parts, weights, strict=True)])


@writes(StackingClassifier)
def _stacking(estimator: StackingClassifier, X: Tensor) -> Answer:
    parts = zip(estimator.estimators_, estimator.stack_method_, strict=True)
    columns = [_stacked(each, method, X, len(estimator.classes_)) for each, method in parts]
    return answer(
        estimator.final_estimator_, concatenate([*columns, X] if estimator.passthrough else columns)
    )


def _stacked(estimator: Any, method: str, X: Tensor, classes: int) -> Tensor:
    said = answer(estimator, X)
    if method == "predict":
        labels = X.graph.tensor(np.asarray(estimator.classes_, dtype=np.float64))
        return labels.take(said.predicted, axis=0).reshape(-1, 1)
    if method == "decision_function":
        return required(said.scores, estimator)
    probabilities = required(said.probabilities, estimator)
    return probabilities.column(1) if classes == 2 else probabilities


@writes(GridSearchCV, RandomizedSearchCV)
def _search(estimator: Any, X: Tensor) -> Answer:
    return answer(estimator.best_estimator_, X)


@writes(SelfTrainingClassifier)
def _self_training(estimator: SelfTrainingClassifier, X: Tensor) -> Answer:
    return answer(estimator.estimator_, X)


@writes(FrozenEstimator)
def _frozen(estimator: FrozenEstimator, X: Tensor) -> Answer:
    return answer(estimator.estimator, X)
