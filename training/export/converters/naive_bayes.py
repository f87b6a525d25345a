"""Naive Bayes classifiers: sklearn.naive_bayes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from training.export.converters.outputs import Outputs
from training.export.converters.registry import converts
from training.export.converters.tensor import Tensor, add_in_order, concatenate


def _from_joint_log_likelihoods(joint: Tensor) -> Outputs:
    return Outputs(joint.argmax(), joint.softmax())


@converts(GaussianNB)
def _gaussian_nb(estimator: GaussianNB, X: Tensor) -> Outputs:
    joint = []
    means, variances = (  # float32 if the samples were
        np.asarray(parameter, dtype=np.float64) for parameter in (estimator.theta_, estimator.var_)
    )
    for prior, mean, variance in zip(estimator.class_prior_, means, variances, strict=True):
        constant = np.log(prior) - 0.5 * np.sum(np.log(2.0 * np.pi * variance))
        difference = X - mean
        joint.append((difference * difference / variance).sum() * -0.5 + constant)
    return _from_joint_log_likelihoods(concatenate(joint))


@converts(MultinomialNB)
def _multinomial_nb(estimator: MultinomialNB, X: Tensor) -> Outputs:
    joint = X @ estimator.feature_log_prob_.T + estimator.class_log_prior_
    return _from_joint_log_likelihoods(joint)


@converts(ComplementNB)
def _complement_nb(estimator: ComplementNB, X: Tensor) -> Outputs:
    classes = len(estimator.classes_)
    log_prior = estimator.class_log_prior_ if classes == 1 else np.zeros(classes)
    return _from_joint_log_likelihoods(X @ estimator.feature_log_prob_.T + log_prior)


@converts(BernoulliNB)
def _bernoulli_nb(estimator: BernoulliNB, X: Tensor) -> Outputs:
    if estimator.binarize is not None:
        X = (float(estimator.binarize) < X).cast(np.float64)
    absent = np.log(1 - np.exp(estimator.feature_log_prob_))
    constant = estimator.class_log_prior_ + absent.sum(axis=1)
    return _from_joint_log_likelihoods(X @ (estimator.feature_log_prob_ - absent).T + constant)


@converts(CategoricalNB)
def _categorical_nb(estimator: CategoricalNB, X: Tensor) -> Outputs:
    categories = X.cast(np.int64)  # towards zero, as scikit-learn does
    joint = [
        _log_probabilities(table.T, categories.take(np.array(feature), axis=1))
        for feature, table in enumerate(estimator.feature_log_prob_)
    ]
    return _from_joint_log_likelihoods(add_in_order(joint) + estimator.class_log_prior_)


def _log_probabilities(table: npt.NDArray[Any], category: Tensor) -> Tensor:
    """Look up a feature's categories: from (categories, classes) to (samples, classes).

    An unseen category is an IndexError in scikit-learn and NaN here.
    """
    unseen = np.full((1, table.shape[1]), np.nan)
    padded = np.vstack([unseen, table, unseen])
    row = category.clip(np.array(-1), np.array(len(table))) + np.array(1)
    return category.graph.tensor(padded).take(row, axis=0)
