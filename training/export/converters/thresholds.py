"""Classifiers that move another's threshold or calibrate its probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from training.export.converters.registry import (
    Answer,
    answer,
    by_probability,
    of_two,
    positions,
    required,
    writes,
)
from training.export.converters.tensor import Tensor, add_in_order, concatenate


@writes(FixedThresholdClassifier)
def _fixed_threshold(estimator: FixedThresholdClassifier, X: Tensor) -> Answer:
    inner = getattr(estimator, "estimator_", estimator.estimator)
    return _with_threshold(estimator, inner, estimator.threshold, estimator.pos_label, X)


@writes(TunedThresholdClassifierCV)
def _tuned_threshold(estimator: TunedThresholdClassifierCV, X: Tensor) -> Answer:
    positive = estimator._curve_scorer._get_pos_label()
    return _with_threshold(estimator, estimator.estimator_, estimator.best_threshold_, positive, X)


def _with_threshold(
    estimator: Any, inner: Any, threshold: float | str, positive: Any, X: Tensor
) -> Answer:
    if len(estimator.classes_) != 2:
        raise NotImplementedError(f"{type(estimator).__name__} of other than two classes")
    said = answer(inner, X)
    method = estimator._get_response_method()
    methods = [method] if isinstance(method, str) else method
    use = next(each for each in methods if hasattr(inner, each))
    is_second = positive is None or bool(positive == estimator.classes_[1])
    if use == "predict_proba":
        score = required(said.probabilities, inner).column(int(is_second))
    else:
        score = required(said.scores, inner) * (1.0 if is_second else -1.0)
    if threshold == "auto":
        threshold = 0.5 if use == "predict_proba" else 0.0
    reached = (score >= float(threshold)).cast(np.int64).reshape(-1)
    index = reached if is_second else np.array(1) - reached
    return Answer(index, said.probabilities, said.scores)


@writes(CalibratedClassifierCV)
def _calibrated(estimator: CalibratedClassifierCV, X: Tensor) -> Answer:
    parts = [_one_calibrated(each, X) for each in estimator.calibrated_classifiers_]
    return by_probability(add_in_order(parts) / float(len(parts)))


def _one_calibrated(calibrated: Any, X: Tensor) -> Tensor:
    classes, inner = len(calibrated.classes), calibrated.estimator
    said = answer(inner, X)
    by_scores = hasattr(inner, "decision_function")
    response = required(said.scores if by_scores else said.probabilities, inner)
    if calibrated.method == "temperature":
        return _with_temperature(calibrated.calibrators[0], response, classes, by_scores)
    if classes == 2:
        response = response if by_scores else response.column(1)
        return _capped(of_two(_calibrate(calibrated.calibrators[0], response)))
    known = positions(inner.classes_, calibrated.classes)
    columns = [
        _calibrate(each, response.column(k)) for k, each in enumerate(calibrated.calibrators)
    ]
    odds = concatenate(columns) @ np.eye(classes)[known]
    total = odds.sum()
    return _capped(total.equals(0.0).where(1.0 / classes, odds / total))


def _calibrate(calibrator: Any, response: Tensor) -> Tensor:
    if isinstance(calibrator, IsotonicRegression):
        return _isotonic(calibrator, response)
    return (-(response * float(calibrator.a_) + float(calibrator.b_))).sigmoid()


def _isotonic(calibrator: IsotonicRegression, response: Tensor) -> Tensor:
    """Interpolate between the thresholds on either side, and keep to the outermost."""
    x, y = (
        np.asarray(each, np.float64)
        for each in (calibrator.X_thresholds_, calibrator.y_thresholds_)
    )
    if len(x) == 1:
        return response * 0.0 + float(y[0])
    inside = response.clip(x[0], x[-1])
    above = (inside > x[1:].reshape(1, -1)).cast(np.int64)
    segment = above.op("ReduceSum", np.array([1]), keepdims=0)
    left, low, slope = (
        response.graph.tensor(each).take(segment, axis=0).reshape(-1, 1)
        for each in (x[:-1], y[:-1], np.diff(y) / np.diff(x))
    )
    return (inside - left) * slope + low


def _with_temperature(calibrator: Any, response: Tensor, classes: int, by_scores: bool) -> Tensor:
    if not by_scores:  # probabilities become logits
        response = of_two(response.column(1)) if classes == 2 else response
        return _capped(((response + 1e-12).log() * float(calibrator.beta_)).softmax())
    if classes == 2:
        response = (-response).op("Concat", response, axis=1)
    return _capped((response * float(calibrator.beta_)).softmax())


def _capped(probabilities: Tensor) -> Tensor:
    """Undo rounding above 1."""
    return probabilities.op("Min", 1.0)
