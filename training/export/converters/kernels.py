"""Kernels between samples and the samples that an estimator keeps: sklearn.metrics.pairwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from training.export.converters.preprocessing.scaling import normalize
from training.export.converters.tensor import Tensor, add_in_order

_Reference = npt.NDArray[np.float64]


def pairwise_kernel(estimator: Any, X: Tensor, reference: npt.NDArray[Any], options: Any) -> Tensor:
    """Return an estimator's kernel, shape (samples, reference samples).

    Parameters
    ----------
    estimator : estimator
        With the parameter ``kernel``.
    X : Tensor
        Shape (samples, features).
    reference : numpy.ndarray
        Shape (reference samples, features).
    options : mapping
        ``gamma``, ``degree`` and ``coef0``, as far as the estimator has them; None for the default.
    """
    name = estimator.kernel
    function = _KERNELS.get(name) if isinstance(name, str) else None
    if function is None:
        given = repr(name) if isinstance(name, str) else "of your own"
        raise NotImplementedError(
            f"{type(estimator).__name__} with the kernel {given} is not supported"
        )
    points = np.asarray(reference, dtype=np.float64)
    known = {option: float(value) for option, value in options.items() if value is not None}
    return function(X, points, known)


def euclidean_distances(X: Tensor, reference: npt.NDArray[Any]) -> Tensor:
    """Return squared distances as `sklearn.metrics.euclidean_distances` computes them."""
    points = np.asarray(reference, dtype=np.float64)
    products: Tensor = X @ (points.T * -2.0)
    distances = products + (X * X).sum() + (points * points).sum(axis=1)
    return (distances < 0.0).where(0.0, distances)


def _linear(X: Tensor, points: _Reference, _: dict[str, float]) -> Tensor:
    return X @ points.T


def _polynomial(X: Tensor, points: _Reference, options: dict[str, float]) -> Tensor:
    products = X @ (points.T * _gamma(points, options)) + options.get("coef0", 1.0)
    return products.op("Pow", options.get("degree", 3.0))


def _sigmoid(X: Tensor, points: _Reference, options: dict[str, float]) -> Tensor:
    products = X @ (points.T * _gamma(points, options)) + options.get("coef0", 1.0)
    return products.op("Tanh")


def _rbf(X: Tensor, points: _Reference, options: dict[str, float]) -> Tensor:
    return (euclidean_distances(X, points) * -_gamma(points, options)).exp()


def _laplacian(X: Tensor, points: _Reference, options: dict[str, float]) -> Tensor:
    distances = [
        (X.column(feature) - points[:, feature]).abs() for feature in range(points.shape[1])
    ]
    return (add_in_order(distances) * -_gamma(points, options)).exp()


def _cosine(X: Tensor, points: _Reference, _: dict[str, float]) -> Tensor:
    return cosine_similarity(X, points)


def cosine_similarity(X: Tensor, points: _Reference) -> Tensor:
    """Return the cosines between samples and points, shape (samples, points)."""
    lengths = np.sqrt((points * points).sum(axis=1, keepdims=True))
    lengths[lengths < 10 * np.finfo(np.float64).eps] = 1.0
    return normalize(X, "l2") @ (points / lengths).T


def _chi2(X: Tensor, points: _Reference, options: dict[str, float]) -> Tensor:
    gamma = options.get("gamma", 1.0)
    return (_additive_chi2(X, points, options) * gamma).exp()


def _additive_chi2(X: Tensor, points: _Reference, _: dict[str, float]) -> Tensor:
    X.graph.reject(X < 0.0)
    terms = []
    for feature in range(points.shape[1]):
        column = X.column(feature)
        difference, total = column - points[:, feature], column + points[:, feature]
        ratio = difference * difference / total.equal(0.0).where(1.0, total)
        terms.append(total.equal(0.0).where(0.0, ratio))
    return -add_in_order(terms)


def _gamma(points: _Reference, options: dict[str, float]) -> float:
    return options.get("gamma", 1.0 / int(points.shape[1]))


_KERNELS: dict[str, Callable[[Tensor, _Reference, dict[str, float]], Tensor]] = {
    "additive_chi2": _additive_chi2,
    "chi2": _chi2,
    "cosine": _cosine,
    "laplacian": _laplacian,
    "linear": _linear,
    "poly": _polynomial,
    "polynomial": _polynomial,
    "rbf": _rbf,
    "sigmoid": _sigmoid,
}
