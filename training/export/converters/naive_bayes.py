"""Naive Bayes classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from training.export.converters.registry import Answer, writes
from training.export.converters.tensor import Tensor, add_in_order, concatenate


def _by_joint_likelihood(joint: Tensor) -> Answer:
    return Answer(joint.argmax(), joint.softmax())


@writes(GaussianNB)
def _gaussian(estimator: GaussianNB, X: Tensor) -> Answer:
    joint = []
    parts = zip(estimator.class_prior_, estimator.theta_, estimator.var_, strict=True)
    for prior, mean, variance in parts:
        constant = np.log(prior) - 0.5 * np.sum(np.log(2.0 * np.pi * variance))
        distance = X - mean
        joint.append((distance * distance / variance).sum() * -0.5 + constant)
    return _by_joint_likelihood(concatenate(joint))


@writes(MultinomialNB)
def _multinomial(estimator: MultinomialNB, X: Tensor) -> Answer:
    return _by_joint_likelihood(X @ estimator.feature_log_prob_.T + estimator.class_log_prior_)


@writes(ComplementNB)
def _complement(estimator: ComplementNB, X: Tensor) -> Answer:
    alone = len(estimator.classes_) == 1
    prior = estimator.class_log_prior_ if alone else np.zeros(len(estimator.classes_))
    return _by_joint_likelihood(X @ estimator.feature_log_prob_.T + prior)


@writes(BernoulliNB)
def _bernoulli(estimator: BernoulliNB, X: Tensor) -> Answer:
    if estimator.binarize is not None:
        X = (float(estimator.binarize) < X).cast(np.float64)
    absent = np.log(1 - np.exp(estimator.feature_log_prob_))
    constant = estimator.class_log_prior_ + absent.sum(axis=1)
    return _by_joint_likelihood(X @ (estimator.feature_log_prob_ - absent).T + constant)


@writes(CategoricalNB)
def _categorical(estimator: CategoricalNB, X: Tensor) -> Answer:
    categories = X.cast(np.int64)  # towards zero, as scikit-learn does
    joint = [
        _log_probability(table.T, categories.take(np.array(feature), axis=1))
        for feature, table in enumerate(estimator.feature_log_prob_)
    ]
    return _by_joint_likelihood(add_in_order(joint) + estimator.class_log_prior_)


def _log_probability(table: npt.NDArray[Any], category: Tensor) -> Tensor:
    """Look a feature's categories up; one that was never seen is an IndexError there, NaN here."""
    unknown = np.full((1, table.shape[1]), np.nan)
    padded = np.vstack([unknown, table, unknown])
    row = category.clip(np.array(-1), np.array(len(table))) + np.array(1)
    return category.graph.tensor(padded).take(row, axis=0)
