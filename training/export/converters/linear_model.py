"""Linear classifiers: sklearn.linear_model."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    PassiveAggressiveClassifier,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)

from training.export.converters.outputs import Outputs, binary_probabilities, from_scores
from training.export.converters.registry import converts
from training.export.converters.tensor import Tensor


def _linear_scores(estimator: Any, X: Tensor) -> Tensor:
    """Return the scores, shape (samples, classes), or (samples, 1) for two classes."""
    coefficients = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    intercept = np.asarray(estimator.intercept_, dtype=np.float64).reshape(-1)
    return X @ coefficients.T + intercept


def linear_outputs(estimator: Any, X: Tensor) -> Outputs:
    """Convert a classifier with `coef_` and `intercept_` and without probabilities."""
    return from_scores(_linear_scores(estimator, X), len(estimator.classes_))


def logistic_outputs(estimator: Any, X: Tensor) -> Outputs:
    """Convert a linear classifier whose probabilities are the sigmoid or softmax of its scores."""
    scores, classes = _linear_scores(estimator, X), len(estimator.classes_)
    probabilities = binary_probabilities(scores.sigmoid()) if classes == 2 else scores.softmax()
    return from_scores(scores, classes, probabilities)


@converts(PassiveAggressiveClassifier, Perceptron, RidgeClassifier, RidgeClassifierCV)
def _linear(estimator: Any, X: Tensor) -> Outputs:
    return linear_outputs(estimator, X)


@converts(LogisticRegression, LogisticRegressionCV)
def _logistic_regression(estimator: Any, X: Tensor) -> Outputs:
    return logistic_outputs(estimator, X)


@converts(SGDClassifier)
def _sgd(estimator: SGDClassifier, X: Tensor) -> Outputs:
    scores, classes = _linear_scores(estimator, X), len(estimator.classes_)
    if estimator.loss == "log_loss":
        odds = scores.sigmoid()
    elif estimator.loss == "modified_huber":
        odds = (scores.clip(-1.0, 1.0) + 1.0) / 2.0
    else:
        return from_scores(scores, classes)
    probabilities = binary_probabilities(odds) if classes == 2 else _normalize(odds, classes)
    return from_scores(scores, classes, probabilities)


def _normalize(odds: Tensor, classes: int) -> Tensor:
    """Divide each row by its sum; where the sum is zero, all classes are equally probable."""
    total = odds.sum()
    return total.equal(0.0).where(1.0 / classes, odds / total)
