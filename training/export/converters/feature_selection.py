"""Selected features: sklearn.feature_selection."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
)

from training.export.converters.features import Features
from training.export.converters.outputs import Outputs
from training.export.converters.registry import convert, delegates, transforms


@transforms(
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
)
def _selector(selector: Any, X: Features) -> Features:
    return X.columns(np.flatnonzero(selector.get_support()))


@delegates(RFE, RFECV)
def _recursive_elimination(estimator: Any, X: Features) -> Outputs:
    return convert(estimator.estimator_, _selector(estimator, X))
