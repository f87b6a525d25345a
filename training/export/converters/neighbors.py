"""Nearest neighbours and centroids: sklearn.neighbors."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid, RadiusNeighborsClassifier

from training.export.converters.distances import kd_tree_ranks, nearest, squared_distances
from training.export.converters.outputs import Outputs, from_log_likelihoods, from_probabilities
from training.export.converters.registry import converts
from training.export.converters.tensor import Tensor


def _is_euclidean(estimator: Any) -> bool:
    minkowski = estimator.metric == "minkowski" and estimator.p == 2
    return (minkowski or estimator.metric == "euclidean") and not estimator.metric_params


def _check_parameters(estimator: Any) -> None:
    if not _is_euclidean(estimator) or estimator.weights not in ("uniform", "distance", None):
        raise NotImplementedError(
            f"{type(estimator).__name__} with a non-Euclidean metric or custom weights is not "
            "supported"
        )


def _distance_weights(squared: Tensor, within: Tensor | None = None) -> Tensor:
    """Return inverse distances; neighbours at distance zero, if any, have all the weight."""
    same = squared.equal(0.0).cast(np.float64)
    if within is not None:
        same = same * within
    weights = 1.0 / squared.sqrt()
    if within is not None:
        weights = within.cast(bool).where(weights, 0.0)
    return (same.op("ReduceMax", np.array([1]), keepdims=1) > 0.0).where(same, weights)


@converts(KNeighborsClassifier)
def _k_neighbors(estimator: KNeighborsClassifier, X: Tensor) -> Outputs:
    _check_parameters(estimator)
    uses_tree = estimator._fit_method == "kd_tree"
    distances = squared_distances(X, estimator._fit_X, in_order=uses_tree)
    ranks = kd_tree_ranks(X, estimator._tree) if uses_tree else None
    squared, indices = nearest(distances, estimator.n_neighbors, ranks)
    classes = np.eye(len(estimator.classes_))[estimator._y]
    votes = X.graph.tensor(classes).take(indices, axis=0)
    if estimator.weights == "distance":
        votes = votes * _distance_weights(squared).op("Unsqueeze", np.array([2]))
    total = votes.sum_in_order(axis=1)
    return Outputs(total.argmax(), total / total.sum())


@converts(RadiusNeighborsClassifier)
def _radius_neighbors(estimator: RadiusNeighborsClassifier, X: Tensor) -> Outputs:
    """Count the neighbours within the radius; NaN where there is none and scikit-learn raises."""
    _check_parameters(estimator)
    squared = squared_distances(X, estimator._fit_X)
    within = (squared.sqrt() <= float(estimator.radius)).cast(np.float64)
    weights = _distance_weights(squared, within) if estimator.weights == "distance" else within
    votes = weights @ np.eye(len(estimator.classes_))[estimator._y]
    probabilities = votes / votes.sum()
    if estimator.outlier_label_ is None:
        return from_probabilities(probabilities)
    outlier = estimator.classes_ == estimator.outlier_label_[0]
    if not outlier.any():
        raise NotImplementedError(
            "RadiusNeighborsClassifier with an outlier label that is no class is not supported"
        )
    has_none = within.sum().equal(0.0)
    outlier_probabilities = outlier.astype(np.float64).reshape(1, -1)
    return from_probabilities(has_none.where(outlier_probabilities, probabilities))


@converts(NearestCentroid)
def _nearest_centroid(estimator: NearestCentroid, X: Tensor) -> Outputs:
    if estimator.metric != "euclidean":
        raise NotImplementedError("NearestCentroid with a non-Euclidean metric is not supported")
    if not hasattr(estimator, "class_prior_"):  # before scikit-learn 1.6
        return Outputs(squared_distances(X, estimator.centroids_).argmin())
    deviation = estimator.within_class_std_dev_
    scale = np.where(deviation != 0, deviation, 1.0)
    distances = squared_distances(X / scale, estimator.centroids_ / scale)
    scores = np.log(estimator.class_prior_) * 2.0 - distances
    outputs = from_log_likelihoods(scores, len(estimator.classes_))
    if np.isclose(estimator.class_prior_, 1 / len(estimator.classes_)).all():
        return outputs._replace(class_index=squared_distances(X, estimator.centroids_).argmin())
    return outputs
