"""Distances between samples and the reference samples that an estimator keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.export.converters.tensor import Tensor

_SYNONYMS = {
    "cityblock": "manhattan",
    "l1": "manhattan",
    "l2": "euclidean",
    "infinity": "chebyshev",
    "p": "minkowski",
}


class Metric(NamedTuple):
    """A metric of ``sklearn.metrics.DistanceMetric``.

    scikit-learn compares reduced distances, which lack the final root, and adds the features from
    the first to the last. So does this, which makes samples tie where they tie there.

    Parameters
    ----------
    name : {"euclidean", "manhattan", "chebyshev", "minkowski"}
    p : float
        The power, 2 for "euclidean".
    weights : numpy.ndarray, optional
        Of the features, shape (features,), for "minkowski".
    """

    name: str
    p: float = 2.0
    weights: npt.NDArray[np.float64] | None = None

    def reduced(self, differences: Tensor) -> Tensor:
        """Return reduced distances, shape (points,), of differences of shape (features, points)."""
        if self.name == "chebyshev":  # fmax, which ignores NaN
            return differences.is_nan().where(0.0, differences.abs()).max(axis=0)
        if self.name == "manhattan":
            return differences.abs().sum_in_order(axis=0)
        if self.name == "euclidean":
            return (differences * differences).sum_in_order(axis=0)
        # One exponent for each point: with a single 3, ONNX Runtime multiplies two times.
        power, points = differences.graph.tensor([self.p]), differences.op("Shape", start=1)
        powers = differences.abs().op("Pow", power.op("Expand", points))
        if self.weights is not None:
            powers = powers * self.weights.reshape(-1, 1)
        return powers.sum_in_order(axis=0)

    def distance(self, reduced: Tensor) -> Tensor:
        """Return distances from reduced ones."""
        if self.name == "euclidean":
            return reduced.sqrt()
        return reduced.op("Pow", 1.0 / self.p) if self.name == "minkowski" else reduced

    def reduce(self, distance: Tensor) -> Tensor:
        """Return reduced distances from distances."""
        if self.name == "euclidean":
            return distance * distance
        return distance.op("Pow", self.p) if self.name == "minkowski" else distance


EUCLIDEAN = Metric("euclidean")


def read_metric(estimator: Any) -> Metric:
    """Return the metric of a fitted estimator of sklearn.neighbors."""
    return find_metric(estimator.effective_metric_, estimator.effective_metric_params_)


def find_metric(name: Any, parameters: Mapping[str, Any]) -> Metric:
    """Return a metric by its name, or raise NotImplementedError."""
    known = _SYNONYMS.get(name, name) if isinstance(name, str) else None
    if known == "minkowski" and set(parameters) <= {"p", "w"}:
        weights = parameters.get("w")
        return Metric(
            known,
            float(parameters.get("p", 2.0)),
            None if weights is None else np.asarray(weights, dtype=np.float64),
        )
    if known not in ("euclidean", "manhattan", "chebyshev") or parameters:
        shown = repr(name) if isinstance(name, str) else "of your own"
        raise NotImplementedError(f"the metric {shown} is not supported")
    return Metric(known)


def reduced_distances(X: Tensor, reference: npt.NDArray[Any], metric: Metric) -> Tensor:
    """Return reduced distances, shape (samples, reference samples)."""
    points = X.graph.tensor(np.asarray(reference, dtype=np.float64).T)
    # One sample at a time: all at once would hold samples x reference samples x features numbers.
    return X.map_rows(lambda row: metric.reduced(points - row.reshape(-1, 1)), width=len(reference))


def squared_distances(X: Tensor, reference: npt.NDArray[Any]) -> Tensor:
    """Return squared Euclidean distances, shape (samples, reference samples).

    They are computed from differences, so that the distances of near neighbours stay exact.
    """
    return reduced_distances(X, reference, EUCLIDEAN)
