"""Classifiers whose scores are linear in the features."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    PassiveAggressiveClassifier,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.svm import LinearSVC

from training.export.converters.registry import Answer, by_score, of_two, writes
from training.export.converters.tensor import Tensor, concatenate


def linear_scores(estimator: Any, X: Tensor) -> Tensor:
    """Write the `decision_function` of a linear classifier.

    Parameters
    ----------
    estimator : classifier
        Fitted, with `coef_` and `intercept_`.
    X : Tensor of float64
        Shape (samples, features).

    Returns
    -------
    Tensor of float64
        Shape (samples, classes), or (samples, 1) for two classes.
    """
    coefficients = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    intercept = np.asarray(estimator.intercept_, dtype=np.float64).reshape(-1)
    return X @ coefficients.T + intercept


@writes(LinearSVC, PassiveAggressiveClassifier, Perceptron, RidgeClassifier, RidgeClassifierCV)
def _linear(estimator: Any, X: Tensor) -> Answer:
    return by_score(linear_scores(estimator, X), len(estimator.classes_))


@writes(LogisticRegression, LogisticRegressionCV, LinearDiscriminantAnalysis)
def _logistic(estimator: Any, X: Tensor) -> Answer:
    scores, classes = linear_scores(estimator, X), len(estimator.classes_)
    probabilities = of_two(scores.sigmoid()) if classes == 2 else scores.softmax()
    return by_score(scores, classes, probabilities)


@writes(SGDClassifier)
def _stochastic_gradient_descent(estimator: SGDClassifier, X: Tensor) -> Answer:
    scores, classes = linear_scores(estimator, X), len(estimator.classes_)
    if estimator.loss == "log_loss":
        odds = scores.sigmoid()
    elif estimator.loss == "modified_huber":
        odds = (scores.clip(-1.0, 1.0) + 1.0) / 2.0
    else:
        return by_score(scores, classes)
    return by_score(scores, classes, of_two(odds) if classes == 2 else _normalized(odds, classes))


def _normalized(odds: Tensor, classes: int) -> Tensor:
    """Divide each row by its sum, and give each class the same where that is zero."""
    total = odds.sum()
    return total.equals(0.0).where(1.0 / classes, odds / total)


@writes(QuadraticDiscriminantAnalysis)
def _quadratic(estimator: QuadraticDiscriminantAnalysis, X: Tensor) -> Answer:
    norms = []
    parts = zip(estimator.means_, estimator.rotations_, estimator.scalings_, strict=True)
    for mean, rotation, scaling in parts:
        whitened = (X - mean) @ (rotation * scaling**-0.5)
        norms.append((whitened * whitened).sum())
    volumes = np.array([np.sum(np.log(scaling)) for scaling in estimator.scalings_])
    scores = (concatenate(norms) + volumes) * -0.5 + np.log(estimator.priors_)
    return by_likelihood(scores, len(estimator.classes_))


def by_likelihood(scores: Tensor, classes: int) -> Answer:
    """Answer by the log-likelihood of each class.

    Parameters
    ----------
    scores : Tensor of float64
        Shape (samples, classes), for two classes too.
    classes : int
        How many there are.

    Returns
    -------
    Answer
    """
    decision = scores.column(1) - scores.column(0) if classes == 2 else scores
    return Answer(scores.argmax(), scores.softmax(), decision)
