"""Classifiers that look at the nearest of the samples they remember."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid, RadiusNeighborsClassifier
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from training.export.converters.kernels import squared_distances
from training.export.converters.linear_model import by_likelihood
from training.export.converters.registry import Answer, by_probability, writes
from training.export.converters.tensor import Tensor


def nearest(distances: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Write which remembered samples are the nearest.

    Parameters
    ----------
    distances : Tensor of float64
        Shape (samples, remembered).
    count : int
        How many to give.

    Returns
    -------
    distances : Tensor of float64
        Shape (samples, count), the nearest first.
    indices : Tensor of int64
        Shape (samples, count).
    """
    graph = distances.graph
    names = [graph.scope.get_unique_variable_name(each) for each in ("nearest", "indices")]
    graph.container.add_node(
        "TopK",
        [distances.name, graph.tensor(np.array([count])).name],
        names,
        op_version=graph.container.target_opset,
        largest=0,
    )
    return Tensor(graph, names[0]), Tensor(graph, names[1])


def _is_euclidean(estimator: Any) -> bool:
    minkowski = estimator.metric == "minkowski" and estimator.p == 2
    return (minkowski or estimator.metric == "euclidean") and not estimator.metric_params


def _require(estimator: Any) -> None:
    if not _is_euclidean(estimator) or estimator.weights not in ("uniform", "distance", None):
        raise NotImplementedError(
            f"{type(estimator).__name__} with another metric than the Euclidean, or weights of "
            "its own"
        )


def _distance_weights(squared: Tensor, used: Tensor | None = None) -> Tensor:
    """Weigh by the inverse of the distance; neighbours at no distance count alone."""
    same = squared.equals(0.0).cast(np.float64)
    if used is not None:
        same = same * used
    weights = 1.0 / squared.sqrt()
    if used is not None:
        weights = used.cast(bool).where(weights, 0.0)
    return (same.op("ReduceMax", np.array([1]), keepdims=1) > 0.0).where(same, weights)


@writes(KNeighborsClassifier)
def _k_neighbors(estimator: KNeighborsClassifier, X: Tensor) -> Answer:
    _require(estimator)
    squared, indices = nearest(squared_distances(X, estimator._fit_X), estimator.n_neighbors)
    classes = np.eye(len(estimator.classes_))[estimator._y]
    votes = X.graph.tensor(classes).take(indices, axis=0)
    if estimator.weights == "distance":
        votes = votes * _distance_weights(squared).op("Unsqueeze", np.array([2]))
    total = votes.running_sum(axis=1)
    return Answer(total.argmax(), total / total.sum())


@writes(RadiusNeighborsClassifier)
def _radius_neighbors(estimator: RadiusNeighborsClassifier, X: Tensor) -> Answer:
    """Count who is within the radius; where nobody is and scikit-learn raises, it gives NaN."""
    _require(estimator)
    squared = squared_distances(X, estimator._fit_X)
    within = (squared.sqrt() <= float(estimator.radius)).cast(np.float64)
    weights = _distance_weights(squared, within) if estimator.weights == "distance" else within
    votes = weights @ np.eye(len(estimator.classes_))[estimator._y]
    shares = votes / votes.sum()
    if estimator.outlier_label_ is None:
        return by_probability(shares)
    outlier = estimator.classes_ == estimator.outlier_label_[0]
    if not outlier.any():
        raise NotImplementedError("RadiusNeighborsClassifier with an outlier label of no class")
    alone = within.sum().equals(0.0)
    return by_probability(alone.where(outlier.astype(np.float64).reshape(1, -1), shares))


@writes(NearestCentroid)
def _nearest_centroid(estimator: NearestCentroid, X: Tensor) -> Answer:
    if estimator.metric != "euclidean":
        raise NotImplementedError("NearestCentroid with another metric than the Euclidean")
    deviation = estimator.within_class_std_dev_
    scale = np.where(deviation != 0, deviation, 1.0)
    distances = squared_distances(X / scale, estimator.centroids_ / scale)
    scores = np.log(estimator.class_prior_) * 2.0 - distances
    said = by_likelihood(scores, len(estimator.classes_))
    if np.isclose(estimator.class_prior_, 1 / len(estimator.classes_)).all():
        return said._replace(predicted=squared_distances(X, estimator.centroids_).argmin())
    return said


@writes(LabelPropagation, LabelSpreading)
def _label_propagation(estimator: Any, X: Tensor) -> Answer:
    """Write the labels' spread; NaN, as in scikit-learn, where a sample is far from them all."""
    squared, shares = squared_distances(X, estimator.X_), estimator.label_distributions_
    if estimator.kernel == "rbf":
        votes = (squared * -float(estimator.gamma)).exp() @ shares
    elif estimator.kernel == "knn":
        _, indices = nearest(squared, estimator.n_neighbors)
        votes = X.graph.tensor(shares).take(indices, axis=0).running_sum(axis=1)
    else:
        raise NotImplementedError("LabelPropagation and LabelSpreading with a kernel of one's own")
    return by_probability(votes / votes.sum())
