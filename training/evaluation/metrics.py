"""The metrics of a manifest: every figure with the samples it was measured on and its interval."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin

from training.data.fitted_columns import make_table
from training.data.table import Table
from training.errors import NotServable, first_line
from training.evaluation.cross_validation import (
    cross_validate,
    cross_validated_accuracy,
    has_fitted_part,
)
from training.evaluation.estimates import (
    CONFIDENCE,
    NO_CLASS,
    Estimate,
    Predictions,
    describe_by_class,
    wilson,
)
from training.evaluation.importance import measure_importance

LOG = logging.getLogger(__name__)

FOLDS = 5
TIME_LIMIT_SECONDS = 60.0  # of a cross-validation: no fold begins after it
ON_TEST_DATA = "on test data"
ON_FITTED_DATA = "on the data it was fitted on"


def evaluate(
    estimator: ClassifierMixin,
    table: Table,
    y: npt.NDArray[Any],
    *,
    predicted: Sequence[Any],
    test: tuple[Any, npt.ArrayLike] | None = None,
    folds: int = 0,
    feature_names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Measure a fitted classifier on test data, else by cross-validation, else on what is given.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    table : Table
        Samples that it was fitted on, or like those.
    y : numpy.ndarray
        Shape (samples,): their labels.
    predicted : sequence
        Shape (samples,): what the estimator predicts for them.
    test : tuple of array-like, optional
        Samples and labels that the estimator was not fitted on.
    folds : int, default=0
        Of the cross-validation of clones, which are fitted anew; 0 for none. It ends after
        `TIME_LIMIT_SECONDS` with the folds that are done, at least one.
    feature_names : sequence of str, optional
        Names of the columns of the test data, if it is a matrix.

    Returns
    -------
    dict
        JSON types, as in a manifest's ``metrics``: ``accuracy``, ``baselines``, ``by_class`` and,
        with test data or folds, ``importances``.

    Raises
    ------
    NotServable
        If the test data does not fit the estimator.
    """
    classes = np.asarray(estimator.classes_).tolist()
    fitted = Predictions.from_labels(y, predicted, classes)
    majority = int(np.bincount(fitted.labels[fitted.labels != NO_CLASS]).argmax())
    if test is not None:
        tested, tested_table, labels = _predict_test(estimator, *test, feature_names)
        return {
            **_describe(tested, classes, majority, ON_TEST_DATA, wilson(tested.is_correct())),
            **_importances(estimator, tested_table, labels, ON_TEST_DATA),
        }
    importances = _importances(estimator, table, y, ON_FITTED_DATA) if folds else {}
    if folds:
        X = table.to_estimator_input(table.samples)
        try:
            return {
                **_evaluate_by_cross_validation(estimator, X, y, classes, majority, folds),
                **importances,
            }
        except Exception as error:  # a clone may raise anything
            LOG.warning("the accuracy is measured %s: %s", ON_FITTED_DATA, first_line(error))
    return {
        **_describe(fitted, classes, majority, ON_FITTED_DATA, wilson(fitted.is_correct())),
        **importances,
    }


def _predict_test(
    estimator: Any, X: Any, y: npt.ArrayLike, feature_names: Sequence[str] | None
) -> tuple[Predictions, Table, npt.NDArray[Any]]:
    """Return labels and predictions of test data, its table and its labels."""
    labels = np.asarray(y).ravel()
    table = make_table(estimator, X, feature_names)
    if len(table) != len(labels):
        raise NotServable(f"The test data has {len(table)} samples and {len(labels)} labels.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            predicted = np.asarray(estimator.predict(table.to_estimator_input(table.samples)))
        except Exception as error:  # an estimator may raise anything
            raise NotServable(
                f"{type(estimator).__name__} cannot predict the test data: {first_line(error)}"
            ) from error
    classes = np.asarray(estimator.classes_).tolist()
    return Predictions.from_labels(labels, predicted.ravel(), classes), table, labels


def _evaluate_by_cross_validation(
    estimator: Any,
    X: Any,
    y: npt.NDArray[Any],
    classes: Sequence[Any],
    majority: int,
    folds: int,
) -> dict[str, Any]:
    if has_fitted_part(estimator):
        raise NotServable("a part of the estimator was fitted before (prefit or frozen)")
    _, counts = np.unique(y, return_counts=True)
    folds = min(folds, max(2, int(counts.min())))
    LOG.info("cross-validating %d clones", folds)
    best = getattr(estimator, "best_estimator_", estimator)  # not the search again for each fold
    results = cross_validate(
        best, X, y, classes=classes, folds=folds, time_limit=TIME_LIMIT_SECONDS
    )
    done = "" if len(results) == folds else f"{len(results)} of the folds of "
    method = f"by {done}{folds}-fold stratified cross-validation"
    if best is not estimator:
        method += " of the best estimator that the search found"
    accuracy = cross_validated_accuracy(results, folds=folds)
    pooled = Predictions(*(np.concatenate(part) for part in zip(*results, strict=True)))
    return _describe(pooled, classes, majority, method, accuracy)


def _importances(estimator: Any, table: Table, y: npt.NDArray[Any], method: str) -> dict[str, Any]:
    importances = measure_importance(estimator, table, y, method)
    return {} if importances is None else {"importances": importances}


def _describe(
    predictions: Predictions,
    classes: Sequence[Any],
    majority: int,
    method: str,
    accuracy: Estimate,
) -> dict[str, Any]:
    return {
        "accuracy": {
            **accuracy._asdict(),
            "confidence": CONFIDENCE,
            "samples": len(predictions.labels),
            "method": method,
        },
        "baselines": {"majority_class": wilson(predictions.labels == majority)._asdict()},
        "by_class": describe_by_class(predictions, classes, method),
    }
