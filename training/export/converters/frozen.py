"""Classifiers that are not fitted again: sklearn.frozen."""

from __future__ import annotations

from sklearn.frozen import FrozenEstimator

from training.export.converters.outputs import Outputs
from training.export.converters.registry import convert, converts
from training.export.converters.tensor import Tensor


@converts(FrozenEstimator)
def _frozen(estimator: FrozenEstimator, X: Tensor) -> Outputs:
    return convert(estimator.estimator, X)
