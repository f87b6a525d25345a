"""Distances and kernels between samples and the samples that an estimator remembers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper
from sklearn.gaussian_process import kernels

from training.export.converters.tensor import Tensor

Matrix = npt.NDArray[Any]


def squared_distances(X: Tensor, remembered: Matrix) -> Tensor:
    """Write squared Euclidean distances, from differences, so that near neighbours stay exact.

    Parameters
    ----------
    X : Tensor of float64
        Shape (samples, features).
    remembered : numpy.ndarray of float64
        Shape (remembered, features).

    Returns
    -------
    Tensor of float64
        Shape (samples, remembered).
    """
    graph = X.graph
    points = graph.tensor(np.asarray(remembered, dtype=np.float64)).name
    axes = graph.tensor(np.array([1])).name
    row, difference, distance = (
        graph.scope.get_unique_variable_name(each) for each in ("row", "difference", "distance")
    )
    # One sample at a time: all at once would take samples x remembered x features numbers.
    body = helper.make_graph(
        [
            helper.make_node("Sub", [points, row], [difference]),
            helper.make_node("ReduceSumSquare", [difference, axes], [distance], keepdims=0),
        ],
        "distances",
        [helper.make_tensor_value_info(row, TensorProto.DOUBLE, [remembered.shape[1]])],
        [helper.make_tensor_value_info(distance, TensorProto.DOUBLE, [remembered.shape[0]])],
    )
    return X.op("Scan", body=body, num_scan_inputs=1)


def svm_kernel(estimator: Any, X: Tensor) -> Tensor:
    """Write the kernel between samples and support vectors.

    Parameters
    ----------
    estimator : SVC or NuSVC
        Fitted.
    X : Tensor of float64
        Shape (samples, features).

    Returns
    -------
    Tensor of float64
        Shape (samples, support vectors).
    """
    vectors: Matrix = estimator.support_vectors_
    gamma = float(estimator._gamma)
    if estimator.kernel == "rbf":
        return (squared_distances(X, vectors) * -gamma).exp()
    product: Tensor = X @ vectors.T
    if estimator.kernel == "linear":
        return product
    inner = product * gamma + float(estimator.coef0)
    if estimator.kernel == "poly":
        return inner.op("Pow", float(estimator.degree))
    if estimator.kernel == "sigmoid":
        return inner.op("Tanh")
    raise NotImplementedError(f"the kernel {estimator.kernel!r}")


def gaussian_process_kernel(kernel: Any, X: Tensor, remembered: Matrix) -> Tensor:
    """Write a Gaussian process's kernel between samples and those it was fitted on.

    Parameters
    ----------
    kernel : sklearn.gaussian_process.kernels.Kernel
        Fitted.
    X : Tensor of float64
        Shape (samples, features).
    remembered : numpy.ndarray of float64
        Shape (remembered, features).

    Returns
    -------
    Tensor of float64
        Shape (samples, remembered).
    """
    if type(kernel) is kernels.Product:
        return gaussian_process_kernel(kernel.k1, X, remembered) * gaussian_process_kernel(
            kernel.k2, X, remembered
        )
    if type(kernel) is kernels.Sum:
        return gaussian_process_kernel(kernel.k1, X, remembered) + gaussian_process_kernel(
            kernel.k2, X, remembered
        )
    if type(kernel) is kernels.ConstantKernel:
        return X.graph.tensor(np.full((1, len(remembered)), kernel.constant_value))
    if type(kernel) is kernels.WhiteKernel:
        return X.graph.tensor(np.zeros((1, len(remembered))))
    if type(kernel) is kernels.RBF:
        scale = np.asarray(kernel.length_scale, dtype=np.float64)
        return (squared_distances(X / scale, remembered / scale) * -0.5).exp()
    raise NotImplementedError(f"the kernel {kernel}")


def gaussian_process_variance(kernel: Any) -> float:
    """Give the kernel's value between a sample and itself, the same for each sample.

    Parameters
    ----------
    kernel : sklearn.gaussian_process.kernels.Kernel
        Fitted, one that `gaussian_process_kernel` writes.

    Returns
    -------
    float
    """
    return float(kernel.diag(np.zeros((1, 1)))[0])
