"""Gaussian process classifiers with Laplace's approximation: sklearn.gaussian_process."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from sklearn.gaussian_process import GaussianProcessClassifier, kernels
from sklearn.gaussian_process._gpc import (
    COEFS,
    LAMBDAS,
    _BinaryGaussianProcessClassifierLaplace,
)

from training.export.converters.distances import squared_distances
from training.export.converters.error_function import erf
from training.export.converters.outputs import Outputs, binary_probabilities, second_if_above
from training.export.converters.registry import convert, converts
from training.export.converters.tensor import Tensor


@converts(GaussianProcessClassifier)
def _gaussian_process(estimator: GaussianProcessClassifier, X: Tensor) -> Outputs:
    return convert(estimator.base_estimator_, X)


@converts(_BinaryGaussianProcessClassifierLaplace)
def _binary_gaussian_process(estimator: Any, X: Tensor) -> Outputs:
    """Compute algorithm 3.2 of Rasmussen and Williams, as the estimator's `predict_proba` does."""
    kernel = _kernel(estimator.kernel_, X, estimator.X_train_)
    mean = kernel @ (estimator.y_train_ - estimator.pi_).reshape(-1, 1)
    solved = solve_triangular(estimator.L_, np.diag(estimator.W_sr_), lower=True)
    explained = kernel @ solved.T
    # The kernel between a sample and itself, the same for each sample.
    prior_variance = float(estimator.kernel_.diag(np.zeros((1, 1)))[0])
    variance = prior_variance - (explained * explained).sum()
    second = _integrate_logistic(mean, variance)
    return Outputs(second_if_above(mean, 0.0), binary_probabilities(second))


def _kernel(kernel: Any, X: Tensor, reference: npt.NDArray[Any]) -> Tensor:
    """Return a fitted kernel, shape (samples, reference samples)."""
    if type(kernel) is kernels.Product:
        return _kernel(kernel.k1, X, reference) * _kernel(kernel.k2, X, reference)
    if type(kernel) is kernels.Sum:
        return _kernel(kernel.k1, X, reference) + _kernel(kernel.k2, X, reference)
    if type(kernel) is kernels.ConstantKernel:
        return X.graph.tensor(np.full((1, len(reference)), kernel.constant_value))
    if type(kernel) is kernels.WhiteKernel:
        return X.graph.tensor(np.zeros((1, len(reference))))
    if type(kernel) is kernels.RBF:
        scale = np.asarray(kernel.length_scale, dtype=np.float64)
        return (squared_distances(X / scale, reference / scale) * -0.5).exp()
    raise NotImplementedError(
        f"GaussianProcessClassifier with the kernel {kernel} is not supported"
    )


def _integrate_logistic(mean: Tensor, variance: Tensor) -> Tensor:
    """Integrate the logistic function over a normal distribution; all of shape (samples, 1).

    Williams and Barber, "Bayesian Classification with Gaussian Processes", appendix A: the
    logistic function is approximated by five error functions.
    """
    scales, weights = LAMBDAS.reshape(1, -1), COEFS.reshape(1, -1)
    alpha = 1.0 / (variance * 2.0)
    bend = erf(mean * scales * (alpha / (alpha + scales**2)).sqrt())
    integrals: Tensor = (np.pi / alpha).sqrt() * bend / ((variance * 2.0 * np.pi).sqrt() * 2.0)
    total: Tensor = (integrals * weights).sum() + 0.5 * float(COEFS.sum())
    return total
