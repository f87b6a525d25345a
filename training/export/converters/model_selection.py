"""Tuned thresholds and parameter searches: sklearn.model_selection."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.model_selection._search_successive_halving import (
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
)

from training.export.converters.features import Features
from training.export.converters.outputs import Outputs, require
from training.export.converters.registry import convert, delegates


@delegates(GridSearchCV, RandomizedSearchCV, HalvingGridSearchCV, HalvingRandomSearchCV)
def _search(estimator: Any, X: Features) -> Outputs:
    return convert(estimator.best_estimator_, X)


@delegates(FixedThresholdClassifier)
def _fixed_threshold(estimator: FixedThresholdClassifier, X: Features) -> Outputs:
    classifier = getattr(estimator, "estimator_", estimator.estimator)
    return _apply_threshold(estimator, classifier, estimator.threshold, estimator.pos_label, X)


@delegates(TunedThresholdClassifierCV)
def _tuned_threshold(estimator: TunedThresholdClassifierCV, X: Features) -> Outputs:
    classifier, threshold = estimator.estimator_, estimator.best_threshold_
    pos_label = estimator._curve_scorer._get_pos_label()
    return _apply_threshold(estimator, classifier, threshold, pos_label, X)


def _apply_threshold(
    estimator: Any, classifier: Any, threshold: float | str, pos_label: Any, X: Features
) -> Outputs:
    if len(estimator.classes_) != 2:
        name = type(estimator).__name__
        raise NotImplementedError(f"{name} with {len(estimator.classes_)} classes is not supported")
    outputs = convert(classifier, X)
    response_method = estimator._get_response_method()
    methods = [response_method] if isinstance(response_method, str) else response_method
    method = next(name for name in methods if hasattr(classifier, name))
    is_second = pos_label is None or bool(pos_label == estimator.classes_[1])
    if method == "predict_proba":
        score = require(outputs.probabilities, classifier).column(int(is_second))
    else:
        score = require(outputs.scores, classifier) * (1.0 if is_second else -1.0)
    if threshold == "auto":
        threshold = 0.5 if method == "predict_proba" else 0.0
    is_positive = (score >= float(threshold)).cast(np.int64).reshape(-1)
    class_index = is_positive if is_second else np.array(1) - is_positive
    return Outputs(class_index, outputs.probabilities, outputs.scores)
