"""Classifiers that are not fitted again: sklearn.frozen."""

from __future__ import annotations

from sklearn.frozen import FrozenEstimator

from training.export.converters.features import Features
from training.export.converters.outputs import Outputs
from training.export.converters.registry import convert, delegates


@delegates(FrozenEstimator)
def _frozen(estimator: FrozenEstimator, X: Features) -> Outputs:
    return convert(estimator.estimator, X)
