"""Calibrated probabilities: sklearn.calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression

from training.export.converters.outputs import (
    Outputs,
    binary_probabilities,
    class_indices,
    from_probabilities,
    require,
)
from training.export.converters.registry import convert, converts
from training.export.converters.tensor import Tensor, add_in_order, concatenate


@converts(CalibratedClassifierCV)
def _calibrated_classifier_cv(estimator: CalibratedClassifierCV, X: Tensor) -> Outputs:
    folds = [_calibrated_probabilities(fold, X) for fold in estimator.calibrated_classifiers_]
    return from_probabilities(add_in_order(folds) / float(len(folds)))


def _calibrated_probabilities(fold: Any, X: Tensor) -> Tensor:
    """Return the probabilities of the classifier of one fold, shape (samples, classes)."""
    classes, classifier = len(fold.classes), fold.estimator
    outputs = convert(classifier, X)
    has_scores = hasattr(classifier, "decision_function")
    response = require(outputs.scores if has_scores else outputs.probabilities, classifier)
    if fold.method == "temperature":
        return _scale_temperature(fold.calibrators[0], response, classes, has_scores)
    if classes == 2:
        response = response if has_scores else response.column(1)
        return _limit_to_one(binary_probabilities(_calibrate(fold.calibrators[0], response)))
    indices = class_indices(classifier.classes_, fold.classes)
    columns = [
        _calibrate(calibrator, response.column(k)) for k, calibrator in enumerate(fold.calibrators)
    ]
    calibrated = concatenate(columns) @ np.eye(classes)[indices]
    total = calibrated.sum()
    return _limit_to_one(total.equal(0.0).where(1.0 / classes, calibrated / total))


def _calibrate(calibrator: Any, response: Tensor) -> Tensor:
    if isinstance(calibrator, IsotonicRegression):
        return _isotonic(calibrator, response)
    return (-(response * float(calibrator.a_) + float(calibrator.b_))).sigmoid()


def _isotonic(calibrator: IsotonicRegression, response: Tensor) -> Tensor:
    """Interpolate between the thresholds, constant beyond the outermost; shape (samples, 1)."""
    x, y = (
        np.asarray(thresholds, np.float64)
        for thresholds in (calibrator.X_thresholds_, calibrator.y_thresholds_)
    )
    if len(x) == 1:
        return response * 0.0 + float(y[0])
    inside = response.clip(x[0], x[-1])
    above = (inside > x[1:].reshape(1, -1)).cast(np.int64)
    segment = above.op("ReduceSum", np.array([1]), keepdims=0)
    left, low, slope = (
        response.graph.tensor(values).take(segment, axis=0).reshape(-1, 1)
        for values in (x[:-1], y[:-1], np.diff(y) / np.diff(x))
    )
    return (inside - left) * slope + low


def _scale_temperature(calibrator: Any, response: Tensor, classes: int, has_scores: bool) -> Tensor:
    if not has_scores:  # probabilities become logits
        response = binary_probabilities(response.column(1)) if classes == 2 else response
        return _limit_to_one(((response + 1e-12).log() * float(calibrator.beta_)).softmax())
    if classes == 2:
        response = (-response).op("Concat", response, axis=1)
    return _limit_to_one((response * float(calibrator.beta_)).softmax())


def _limit_to_one(probabilities: Tensor) -> Tensor:
    """Undo rounding above 1."""
    return probabilities.op("Min", 1.0)
