"""Classifiers that are not fitted again: sklearn.frozen, which scikit-learn has since 1.6."""

from __future__ import annotations

from typing import Any

from training.export.converters.features import Features
from training.export.converters.outputs import Outputs
from training.export.converters.registry import convert, delegates


@delegates("sklearn.frozen._frozen.FrozenEstimator")
def _frozen(estimator: Any, X: Features) -> Outputs:
    return convert(estimator.estimator, X)
