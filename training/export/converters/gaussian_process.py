"""Gaussian process classifiers, after Laplace's approximation."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process._gpc import (
    COEFS,
    LAMBDAS,
    _BinaryGaussianProcessClassifierLaplace,
)

from training.export.converters.error_function import erf
from training.export.converters.kernels import gaussian_process_kernel, gaussian_process_variance
from training.export.converters.registry import Answer, answer, is_above, of_two, writes
from training.export.converters.tensor import Tensor


@writes(GaussianProcessClassifier)
def _gaussian_process(estimator: GaussianProcessClassifier, X: Tensor) -> Answer:
    return answer(estimator.base_estimator_, X)


@writes(_BinaryGaussianProcessClassifierLaplace)
def _binary(estimator: Any, X: Tensor) -> Answer:
    """Write algorithm 3.2 of Rasmussen and Williams, as `predict_proba` of the estimator does."""
    kernel = gaussian_process_kernel(estimator.kernel_, X, estimator.X_train_)
    mean = kernel @ (estimator.y_train_ - estimator.pi_).reshape(-1, 1)
    solved = solve_triangular(estimator.L_, np.diag(estimator.W_sr_), lower=True)
    explained = kernel @ solved.T
    variance = gaussian_process_variance(estimator.kernel_) - (explained * explained).sum()
    second = _integral(mean, variance)
    return Answer(is_above(mean, 0.0), of_two(second))


def _integral(mean: Tensor, variance: Tensor) -> Tensor:
    """Integrate the logistic function over a normal distribution.

    Williams and Barber, "Bayesian Classification with Gaussian Processes", appendix A: five error
    functions make the logistic function.
    """
    scales, weights = LAMBDAS.reshape(1, -1), COEFS.reshape(1, -1)
    alpha = 1.0 / (variance * 2.0)
    bend = erf(mean * scales * (alpha / (alpha + scales**2)).sqrt())
    integrals: Tensor = (np.pi / alpha).sqrt() * bend / ((variance * 2.0 * np.pi).sqrt() * 2.0)
    total: Tensor = (integrals * weights).sum() + 0.5 * float(COEFS.sum())
    return total
