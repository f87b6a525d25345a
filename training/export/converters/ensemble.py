"""Classifiers that combine others: sklearn.ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.utils.fixes import parse_version

from training.export.converters.features import Features, from_tensor
from training.export.converters.outputs import (
    Outputs,
    binary_probabilities,
    class_indices,
    from_probabilities,
    from_scores,
    one_hot,
    require,
)
from training.export.converters.registry import convert, converts, delegates
from training.export.converters.special_functions import limit
from training.export.converters.tensor import Tensor, add_in_order, concatenate
from training.export.converters.tree import (
    TREES,
    leaf_probabilities,
    read_tree,
    round_to_float32,
    sum_of_trees,
)

# Which probability an initial estimator of gradient boosting has at least.
_IS_BEFORE_1_8 = parse_version(sklearn.__version__) < parse_version("1.8")
_SMALLEST_PROBABILITY = float(np.finfo(np.float32 if _IS_BEFORE_1_8 else np.float64).eps)


@converts(
    RandomForestClassifier,
    ExtraTreesClassifier,
    "imblearn.ensemble._forest.BalancedRandomForestClassifier",
)
def _forest(estimator: Any, X: Tensor) -> Outputs:
    trees = [read_tree(tree, leaf_probabilities(tree)) for tree in estimator.estimators_]
    return from_probabilities(sum_of_trees(trees, round_to_float32(X)) / len(trees))


@converts(GradientBoostingClassifier)
def _gradient_boosting(estimator: GradientBoostingClassifier, X: Tensor) -> Outputs:
    X, columns = round_to_float32(X), estimator.estimators_.shape[1]
    trees = [
        read_tree(tree, _in_column(estimator.learning_rate * tree.tree_.value[:, 0, :], k, columns))
        for stage in estimator.estimators_
        for k, tree in enumerate(stage)
    ]
    raw = sum_of_trees(trees, X, _initial_scores(estimator, X))
    if columns > 1:
        return from_scores(raw, columns, raw.softmax())
    probability = (raw * 2.0 if estimator.loss == "exponential" else raw).sigmoid()
    class_index = (raw >= 0.0).cast(np.int64).reshape(-1)
    return Outputs(class_index, binary_probabilities(probability), raw)


def _initial_scores(estimator: GradientBoostingClassifier, X: Tensor) -> Tensor:
    """Return what the scores begin with, shape (samples, columns)."""
    if isinstance(estimator.init_, DummyClassifier | str):  # the same for every sample
        row = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_)))
        return X.graph.repeat(row)
    X.width = estimator.n_features_in_
    probabilities = require(convert(estimator.init_, X).probabilities, estimator.init_)
    probabilities = limit(probabilities, _SMALLEST_PROBABILITY, 1.0 - _SMALLEST_PROBABILITY)
    if estimator.estimators_.shape[1] > 1:
        logarithms = probabilities.log()
        return logarithms - logarithms.op("ReduceMean", np.array([1]), keepdims=1)
    second = probabilities.column(1)
    log_odds = (second / (1.0 - second)).log()
    return log_odds * 0.5 if estimator.loss == "exponential" else log_odds


def _in_column(values: npt.NDArray[Any], column: int, columns: int) -> npt.NDArray[np.float64]:
    """Return leaf values that add to one column only, shape (nodes, columns)."""
    table = np.zeros((len(values), columns))
    table[:, column] = values.reshape(-1)
    return table


@delegates(AdaBoostClassifier, "imblearn.ensemble._weight_boosting.RUSBoostClassifier")
def _ada_boost(estimator: AdaBoostClassifier, X: Features) -> Outputs:
    classes, weights = len(estimator.classes_), estimator.estimator_weights_
    if getattr(estimator, "algorithm", None) == "SAMME.R":  # the default of scikit-learn 1.5
        total = _sum_of_log_probabilities(estimator, X)
    elif all(isinstance(member, TREES) for member in estimator.estimators_):
        total = _sum_of_boosted_trees(estimator, X)
    else:
        total = _sum_of_boosted_classifiers(estimator, X)
    scores = total / float(weights.sum())
    if classes > 2:
        return from_scores(scores, classes, (scores / (classes - 1.0)).softmax())
    scores = (scores * np.array([-1.0, 1.0])).sum()
    probabilities = (-scores).op("Concat", scores, axis=1) / 2.0
    return from_scores(scores, classes, probabilities.softmax())


def _votes(weight: float, classes: int) -> tuple[float, float]:
    """Return the votes of a boosted classifier for the class it predicts and for any other."""
    return float(weight), float(-1 / (classes - 1) * weight)


def _sum_of_boosted_trees(estimator: AdaBoostClassifier, X: Features) -> Tensor:
    trees, classes = [], estimator.classes_
    for tree, weight in zip(estimator.estimators_, estimator.estimator_weights_, strict=False):
        predicted = class_indices(tree.classes_, classes)[leaf_probabilities(tree).argmax(axis=1)]
        is_predicted = predicted[:, np.newaxis] == np.arange(len(classes))
        trees.append(read_tree(tree, np.where(is_predicted, *_votes(weight, len(classes)))))
    return sum_of_trees(trees, round_to_float32(X.numbers()))


def _sum_of_boosted_classifiers(estimator: AdaBoostClassifier, X: Features) -> Tensor:
    votes, classes = [], estimator.classes_
    for member, weight in zip(estimator.estimators_, estimator.estimator_weights_, strict=False):
        indices = X.graph.tensor(class_indices(member.classes_, classes))
        predicted = one_hot(indices.take(convert(member, X).class_index, axis=0), len(classes))
        votes.append(predicted.where(*_votes(weight, len(classes))))
    return add_in_order(votes)


def _sum_of_log_probabilities(estimator: AdaBoostClassifier, X: Features) -> Tensor:
    """Compute algorithm 4 of Zhu et al., "Multi-class AdaBoost": centered log-probabilities."""
    classes = len(estimator.classes_)
    smallest = np.finfo(np.float64).eps
    center = (np.eye(classes) - 1 / classes) * (classes - 1)
    if any(len(member.classes_) != classes for member in estimator.estimators_):
        raise NotImplementedError(
            "AdaBoostClassifier with members that lack a class is not supported"
        )
    if all(isinstance(member, TREES) for member in estimator.estimators_):
        trees = [
            read_tree(tree, np.log(np.maximum(leaf_probabilities(tree), smallest)) @ center)
            for tree in estimator.estimators_
        ]
        return sum_of_trees(trees, round_to_float32(X.numbers()))
    return add_in_order(
        [
            require(convert(member, X).probabilities, member).op("Max", smallest).log() @ center
            for member in estimator.estimators_
        ]
    )


@delegates(
    BaggingClassifier,
    "imblearn.ensemble._bagging.BalancedBaggingClassifier",
    "imblearn.ensemble._easy_ensemble.EasyEnsembleClassifier",
)
def _bagging(estimator: BaggingClassifier, X: Features) -> Outputs:
    if all(isinstance(member, TREES) for member in estimator.estimators_):
        total = _sum_of_bagged_trees(estimator, X)
    else:
        total = add_in_order(_bagged_probabilities(estimator, X))
    return from_probabilities(
        total / float(len(estimator.estimators_)), _bagged_scores(estimator, X)
    )


def _to_all_classes(estimator: BaggingClassifier, member: Any) -> npt.NDArray[np.float64]:
    """Return the 0/1 matrix from a member's classes, which are indices, to all of them."""
    return np.eye(len(estimator.classes_))[np.asarray(member.classes_, dtype=np.int64)]


def _sum_of_bagged_trees(estimator: BaggingClassifier, X: Features) -> Tensor:
    members = zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    trees = [
        read_tree(tree, leaf_probabilities(tree) @ _to_all_classes(estimator, tree), features)
        for tree, features in members
    ]
    return sum_of_trees(trees, round_to_float32(X.numbers()))


def _bagged_probabilities(estimator: BaggingClassifier, X: Features) -> list[Tensor]:
    bagged = []
    for member, features in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        outputs = convert(member, X.columns(features))
        if hasattr(member, "predict_proba"):
            probabilities = require(outputs.probabilities, member)
        else:
            probabilities = one_hot(outputs.class_index, len(member.classes_)).cast(np.float64)
        bagged.append(probabilities @ _to_all_classes(estimator, member))
    return bagged


def _bagged_scores(estimator: BaggingClassifier, X: Features) -> Tensor | None:
    if not hasattr(estimator, "decision_function"):
        return None
    members = zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    scores = [
        require(convert(member, X.columns(features)).scores, member) for member, features in members
    ]
    return add_in_order(scores) / float(len(scores))


@delegates(VotingClassifier)
def _voting(estimator: VotingClassifier, X: Features) -> Outputs:
    outputs = [convert(member, X) for member in estimator.estimators_]
    weights, classes = estimator._weights_not_none, len(estimator.classes_)
    if estimator.voting == "hard":
        votes = [one_hot(vote.class_index, classes).cast(np.float64) for vote in outputs]
        return Outputs(_weighted_sum(votes, weights).argmax())
    members = zip(outputs, estimator.estimators_, strict=True)
    probabilities = [require(vote.probabilities, member) for vote, member in members]
    total = float(len(outputs) if weights is None else np.sum(weights))
    return from_probabilities(_weighted_sum(probabilities, weights) / total)


def _weighted_sum(terms: list[Tensor], weights: list[float] | None) -> Tensor:
    if weights is None:
        return add_in_order(terms)
    return add_in_order([t * float(w) for t, w in zip(terms, weights, strict=True)])


@delegates(StackingClassifier)
def _stacking(estimator: StackingClassifier, X: Features) -> Outputs:
    stacked = stacked_predictions(estimator, X)
    features = from_tensor(stacked, estimator.final_estimator_.n_features_in_)
    features.is_sparse = X.is_sparse if estimator.passthrough else False
    return convert(estimator.final_estimator_, features)


def stacked_predictions(estimator: StackingClassifier, X: Features) -> Tensor:
    """Return what the final estimator receives: the members' predictions, then the features."""
    members = zip(estimator.estimators_, estimator.stack_method_, strict=True)
    columns = [_stacked(member, method, X, len(estimator.classes_)) for member, method in members]
    return concatenate([*columns, X.numbers()] if estimator.passthrough else columns)


def _stacked(member: Any, method: str, X: Features, classes: int) -> Tensor:
    outputs = convert(member, X)
    if method == "predict":
        labels = X.graph.tensor(np.asarray(member.classes_, dtype=np.float64))
        return labels.take(outputs.class_index, axis=0).reshape(-1, 1)
    if method == "decision_function":
        return require(outputs.scores, member)
    probabilities = require(outputs.probabilities, member)
    return probabilities.column(1) if classes == 2 else probabilities
