"""Scaled features: the scalers, Normalizer and Binarizer of sklearn.preprocessing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import (
    Binarizer,
    KernelCenterer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)

from training.export.converters.features import Features, from_tensor
from training.export.converters.registry import transforms
from training.export.converters.special_functions import limit
from training.export.converters.tensor import Operand, Tensor

_NEAR_ZERO = 10 * np.finfo(np.float64).eps  # scikit-learn does not divide by a smaller norm


@transforms(StandardScaler)
def _standard_scaler(scaler: StandardScaler, X: Features) -> Features:
    mean = scaler.mean_ if scaler.with_mean else None
    return _center_and_scale(X, mean, scaler.scale_ if scaler.with_std else None)


@transforms(RobustScaler)
def _robust_scaler(scaler: RobustScaler, X: Features) -> Features:
    center = scaler.center_ if scaler.with_centering else None
    return _center_and_scale(X, center, scaler.scale_ if scaler.with_scaling else None)


def _center_and_scale(X: Features, center: Any, scale: Any) -> Features:
    values = X.numbers()
    if center is not None:
        values = values - row_of(center)
    if scale is not None:
        values = values / row_of(scale)
    return from_tensor(values, len(X))


def row_of(values: Any) -> npt.NDArray[np.float64]:
    """Return one value per feature as float64, shape (1, features)."""
    return np.asarray(values, dtype=np.float64).reshape(1, -1)


@transforms(MinMaxScaler)
def _min_max_scaler(scaler: MinMaxScaler, X: Features) -> Features:
    values = X.numbers() * row_of(scaler.scale_) + row_of(scaler.min_)
    if scaler.clip:
        values = limit(values, *map(float, scaler.feature_range))
    return from_tensor(values, len(X))


@transforms(MaxAbsScaler)
def _max_abs_scaler(scaler: MaxAbsScaler, X: Features) -> Features:
    values = X.numbers() / row_of(scaler.scale_)
    if getattr(scaler, "clip", False):  # since scikit-learn 1.9
        values = limit(values, -1.0, 1.0)
    return from_tensor(values, len(X))


@transforms(Normalizer)
def _normalizer(normalizer: Normalizer, X: Features) -> Features:
    return from_tensor(normalize(X.numbers(), normalizer.norm), len(X))


def normalize(rows: Tensor, norm: str) -> Tensor:
    """Divide each row by its norm, ``"l1"``, ``"l2"`` or ``"max"``, unless that is about zero."""
    if norm == "l2":
        length = (rows * rows).sum().sqrt()
    elif norm == "l1":
        length = rows.abs().sum()
    else:
        length = rows.abs().op("ReduceMax", np.array([1]), keepdims=1)
    return rows / (length < _NEAR_ZERO).where(1.0, length)


@transforms(Binarizer)
def _binarizer(binarizer: Binarizer, X: Features) -> Features:
    is_above = X.numbers() > float(binarizer.threshold)
    return from_tensor(is_above.cast(np.float64), len(X))


@transforms(KernelCenterer)
def _kernel_centerer(centerer: KernelCenterer, X: Features) -> Features:
    return from_tensor(center_kernel(centerer, X.numbers()), len(X))


def center_kernel(centerer: KernelCenterer, kernel: Tensor) -> Tensor:
    """Center a kernel of shape (samples, reference samples) in the space of its features."""
    fitted_means = np.asarray(centerer.K_fit_rows_, dtype=np.float64)
    means = kernel.sum() / float(len(fitted_means))
    total: Operand = float(centerer.K_fit_all_)
    centered: Tensor = kernel - fitted_means - means + total
    return centered
