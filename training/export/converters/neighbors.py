"""Nearest neighbours and centroids: sklearn.neighbors."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsTransformer,
    NearestCentroid,
    RadiusNeighborsClassifier,
    RadiusNeighborsTransformer,
)

from training.export.converters.distances import (
    Metric,
    find_metric,
    read_metric,
    reduced_distances,
)
from training.export.converters.features import Features, from_tensor
from training.export.converters.nearest import nearest
from training.export.converters.outputs import Outputs, from_log_likelihoods, from_probabilities
from training.export.converters.registry import converts, transforms
from training.export.converters.tensor import Tensor


@converts(KNeighborsClassifier)
def _k_neighbors(estimator: KNeighborsClassifier, X: Tensor) -> Outputs:
    _check_weights(estimator)
    distances, indices = nearest(estimator, X, estimator.n_neighbors, estimator._y)
    classes = np.eye(len(estimator.classes_))[estimator._y]
    votes = X.graph.tensor(classes).take(indices, axis=0)
    if estimator.weights == "distance":
        votes = votes * _inverse(distances).op("Unsqueeze", np.array([2]))
    total = votes.sum_in_order(axis=1)
    return Outputs(total.argmax(), total / total.sum())


@converts(RadiusNeighborsClassifier)
def _radius_neighbors(estimator: RadiusNeighborsClassifier, X: Tensor) -> Outputs:
    """Count the neighbours within the radius; NaN where there is none and scikit-learn raises."""
    _check_weights(estimator)
    distances, is_within = _find_within_radius(estimator, X)
    within = is_within.cast(np.float64)
    weights = _inverse(distances, within) if estimator.weights == "distance" else within
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
    if _counts_by_class(estimator, read_metric(estimator)):
        # scikit-learn compares the outlier label with the indices of the classes.
        outlier_row = np.array([index == estimator.outlier_label for index in range(len(outlier))])
    else:
        outlier_row = outlier
    probabilities = has_none.where(outlier_row.astype(np.float64).reshape(1, -1), probabilities)
    class_index = probabilities.argmax()
    if not outlier_row.any():
        class_index = has_none.reshape(-1).where(np.array(outlier.argmax()), class_index)
    return Outputs(class_index, probabilities)


@transforms(KNeighborsTransformer)
def _k_neighbors_transformer(transformer: KNeighborsTransformer, X: Features) -> Features:
    """Return the distances to the neighbours, or ones, and zero for all other samples."""
    is_distance, samples = transformer.mode == "distance", int(transformer.n_samples_fit_)
    values = X.numbers()
    # The neighbours of a sample of the training data are itself and as many others.
    distances, indices = nearest(transformer, values, transformer.n_neighbors + is_distance)
    weights = distances if is_distance else distances.equal(distances).cast(np.float64)
    graph = X.graph.repeat(np.zeros(samples)).op("ScatterElements", indices, weights, axis=1)
    return from_tensor(graph, samples)


@transforms(RadiusNeighborsTransformer)
def _radius_neighbors_transformer(transformer: RadiusNeighborsTransformer, X: Features) -> Features:
    distances, is_within = _find_within_radius(transformer, X.numbers())
    weights = distances if transformer.mode == "distance" else 1.0
    return from_tensor(is_within.where(weights, 0.0), int(transformer.n_samples_fit_))


def _find_within_radius(estimator: Any, X: Tensor) -> tuple[Tensor, Tensor]:
    """Return distances from the reference samples, and which of them are within the radius."""
    metric = read_metric(estimator)
    reduced = reduced_distances(X, estimator._fit_X, metric)
    radius = metric.reduce(X.graph.tensor(float(estimator.radius)))
    return metric.distance(reduced), reduced <= radius


def _counts_by_class(estimator: RadiusNeighborsClassifier, metric: Metric) -> bool:
    """Return whether the neighbours are counted by ``RadiusNeighborsClassMode``."""
    is_plain = estimator.weights == "uniform" and estimator._fit_method == "brute"
    return is_plain and metric.name != "euclidean"


def _check_weights(estimator: Any) -> None:
    if estimator.weights not in ("uniform", "distance", None):
        raise NotImplementedError(
            f"{type(estimator).__name__} with weights of your own is not supported"
        )


def _inverse(distances: Tensor, within: Tensor | None = None) -> Tensor:
    """Return inverse distances; neighbours at distance zero, if any, have all the weight."""
    same = distances.equal(0.0).cast(np.float64)
    if within is not None:
        same = same * within
    weights = 1.0 / distances
    if within is not None:
        weights = within.cast(bool).where(weights, 0.0)
    return (same.op("ReduceMax", np.array([1]), keepdims=1) > 0.0).where(same, weights)


@converts(NearestCentroid)
def _nearest_centroid(estimator: NearestCentroid, X: Tensor) -> Outputs:
    metric, classes = find_metric(estimator.metric, {}), len(estimator.classes_)
    nearest_index = reduced_distances(X, estimator.centroids_, metric).argmin()
    if not hasattr(estimator, "class_prior_"):  # before scikit-learn 1.6
        return Outputs(nearest_index)
    deviation = estimator.within_class_std_dev_
    scale = np.where(deviation != 0, deviation, 1.0)
    distances = reduced_distances(X / scale, estimator.centroids_ / scale, metric)
    squared = distances if metric.name == "euclidean" else distances * distances
    scores = np.log(estimator.class_prior_) * 2.0 - squared
    outputs = from_log_likelihoods(scores, classes)
    if np.isclose(estimator.class_prior_, 1 / classes).all():
        return outputs._replace(class_index=nearest_index)
    return outputs
