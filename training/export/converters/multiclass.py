"""Many classes by way of binary classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
    _ConstantPredictor,
)

from training.export.converters.registry import (
    Answer,
    answer,
    binary_score,
    by_score,
    is_above,
    of_two,
    required,
    writes,
)
from training.export.converters.tensor import Tensor, concatenate


@writes(_ConstantPredictor)
def _constant(estimator: Any, X: Tensor) -> Answer:
    """Write what stands in for a class that every sample, or none, belongs to."""
    said = (X.column(0) * 0.0) + float(estimator.y_[0])
    return Answer(is_above(said, 0.5), of_two(said), said)


def _threshold(estimator: Any) -> float:
    return 0.0 if hasattr(estimator, "decision_function") else 0.5


@writes(OneVsRestClassifier)
def _one_vs_rest(estimator: OneVsRestClassifier, X: Tensor) -> Answer:
    parts, classes = estimator.estimators_, len(estimator.classes_)
    if estimator.multilabel_:
        raise NotImplementedError("OneVsRestClassifier for more than one label")
    scores = concatenate([binary_score(each, X) for each in parts])
    index = is_above(scores, _threshold(parts[0])) if classes == 2 else scores.argmax()
    has_scores = hasattr(estimator, "decision_function")
    return Answer(index, _shares(parts, X), scores if has_scores else None)


def _shares(parts: list[Any], X: Tensor) -> Tensor | None:
    if not all(hasattr(each, "predict_proba") for each in parts):
        return None
    said = [required(answer(each, X).probabilities, each).column(1) for each in parts]
    shares = of_two(said[0]) if len(said) == 1 else concatenate(said)
    total = shares.sum()
    return total.equals(0.0).where(shares, shares / total)


@writes(OneVsOneClassifier)
def _one_vs_one(estimator: OneVsOneClassifier, X: Tensor) -> Answer:
    parts, classes = estimator.estimators_, len(estimator.classes_)
    if estimator.pairwise_indices_ is not None:
        raise NotImplementedError("OneVsOneClassifier on a precomputed kernel")
    wins = concatenate([answer(each, X).predicted.reshape(-1, 1) for each in parts])
    confidences = concatenate([binary_score(each, X) for each in parts])
    scores = votes_with_confidence(wins.cast(np.float64), confidences, classes)
    if classes > 2:
        return by_score(scores, classes)
    second = scores.column(1)
    return Answer(is_above(second, _threshold(parts[0])), scores=second)


def votes_with_confidence(wins: Tensor, confidences: Tensor, classes: int) -> Tensor:
    """Write `sklearn.utils.multiclass._ovr_decision_function`.

    Parameters
    ----------
    wins : Tensor of float64
        Shape (samples, pairs): 1 where the second class of a pair won, else 0.
    confidences : Tensor of float64
        Shape (samples, pairs): in favour of the second class.
    classes : int
        How many there are.

    Returns
    -------
    Tensor of float64
        Shape (samples, classes).
    """
    pairs = class_pairs(classes)
    first, second = np.eye(classes)[pairs[:, 0]], np.eye(classes)[pairs[:, 1]]
    votes: Tensor = (1.0 - wins) @ first + wins @ second
    confidence: Tensor = confidences @ (second - first)
    return votes + confidence / ((confidence.abs() + 1.0) * 3.0)


def class_pairs(classes: int) -> np.ndarray:
    """Give the pairs of classes in scikit-learn's and libsvm's order.

    Parameters
    ----------
    classes : int
        How many there are.

    Returns
    -------
    numpy.ndarray of int
        Shape (pairs, 2).
    """
    return np.array([(i, j) for i in range(classes) for j in range(i + 1, classes)])


@writes(OutputCodeClassifier)
def _output_code(estimator: OutputCodeClassifier, X: Tensor) -> Answer:
    code = np.asarray(estimator.code_book_, dtype=np.float64)
    said = concatenate([binary_score(each, X) for each in estimator.estimators_])
    # The squared distance but for the sample's own length, which is the same for every class.
    return Answer((said @ (-2.0 * code.T) + (code * code).sum(axis=1)).argmin())
