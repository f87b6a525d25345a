"""What a card shows beyond the manifest: predictions on unseen samples, and a learning curve."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedKFold, cross_val_predict, learning_curve

from training.data.fitted_columns import make_table
from training.data.table import Table
from training.errors import first_line
from training.evaluation.cross_validation import has_fitted_part
from training.evaluation.estimates import Predictions
from training.evaluation.metrics import ON_FITTED_DATA, ON_TEST_DATA

LOG = logging.getLogger(__name__)

MAX_SAMPLES = 5_000  # of the data, at random: a card is looked at
FOLDS = 5
TRAIN_SIZES = np.linspace(0.1, 1.0, 6)


class LearningCurve(NamedTuple):
    """Accuracies by the number of samples fitted on.

    Parameters
    ----------
    sizes : numpy.ndarray of int
        Shape (sizes,).
    fitted, unseen : numpy.ndarray of float64
        Shape (sizes, folds): on the samples fitted on, and on the others.
    """

    sizes: npt.NDArray[Any]
    fitted: npt.NDArray[np.float64]
    unseen: npt.NDArray[np.float64]


class Evidence(NamedTuple):
    """Data of a card's pictures.

    Parameters
    ----------
    table : Table
        The data, at most `MAX_SAMPLES` samples.
    labels : numpy.ndarray of int
        Shape (samples,): the class of each sample of the table, as an index.
    classes : list of str
        The names of the classes.
    predictions : Predictions
        Of samples that the estimator has not seen, if that is possible.
    samples : Table
        Those samples.
    rows : numpy.ndarray of int
        Their numbers in the data, or in the test data, from 0.
    probabilities : numpy.ndarray of float64 or None
        Shape (predicted samples, classes).
    method : str
        How the predictions were made.
    learning_curve : LearningCurve or None
        None if clones cannot be fitted.
    """

    table: Table
    labels: npt.NDArray[np.intp]
    classes: list[str]
    predictions: Predictions
    samples: Table
    rows: npt.NDArray[np.intp]
    probabilities: npt.NDArray[np.float64] | None
    method: str
    learning_curve: LearningCurve | None


def collect_evidence(
    estimator: Any,
    X: Any,
    y: npt.ArrayLike,
    *,
    test: tuple[Any, npt.ArrayLike] | None = None,
    feature_names: Sequence[str] | None = None,
) -> Evidence:
    """Predict samples that a fitted estimator, or its clones, have not seen.

    Parameters are those of `training.publish.publish`. Without test data, clones are fitted on
    parts of the data; if that fails, the data itself is predicted, and ``method`` says so.
    """
    classes = np.asarray(estimator.classes_).tolist()
    table, labels, rows = _read(estimator, X, y, feature_names)
    best = getattr(estimator, "best_estimator_", estimator)
    has_clones = not has_fitted_part(estimator)
    matrix = table.to_estimator_input(table.samples)
    tested, tested_labels = table, labels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if test is not None:
            method = ON_TEST_DATA
            tested, tested_labels, rows = _read(estimator, *test, feature_names)
            inputs = tested.to_estimator_input(tested.samples)
            predicted, probabilities = _predict(estimator, inputs)
        else:
            method = ON_FITTED_DATA
            result = _predict_out_of_fold(best, matrix, labels, classes) if has_clones else None
            if result is not None:
                method = f"by {FOLDS}-fold stratified cross-validation"
            predicted, probabilities = result or _predict(estimator, matrix)
        curve = _measure_learning(best, matrix, labels) if has_clones else None
    return Evidence(
        table,
        Predictions.from_labels(labels, labels, classes).labels,
        [str(label) for label in classes],
        Predictions.from_labels(tested_labels, predicted, classes),
        tested,
        rows,
        probabilities,
        method,
        curve,
    )


def _read(
    estimator: Any, X: Any, y: npt.ArrayLike, feature_names: Sequence[str] | None
) -> tuple[Table, npt.NDArray[Any], npt.NDArray[np.intp]]:
    """Return at most `MAX_SAMPLES` samples that a request can hold, their labels and numbers."""
    labels = np.asarray(y).ravel()
    table = make_table(estimator, X, feature_names)
    rows = np.flatnonzero(table.servable_rows())
    if len(rows) > MAX_SAMPLES:
        rows = np.sort(np.random.default_rng(0).choice(rows, MAX_SAMPLES, replace=False))
    keep = np.zeros(len(table), dtype=np.bool_)
    keep[rows] = True
    table.keep_rows(keep)
    return table, labels[rows], rows


def _predict(estimator: Any, X: Any) -> tuple[Any, Any]:
    probabilities = estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else None
    return np.asarray(estimator.predict(X)).ravel(), probabilities


def _predict_out_of_fold(
    estimator: Any, X: Any, labels: npt.NDArray[Any], classes: list[Any]
) -> tuple[Any, Any] | None:
    """Return labels and probabilities by clones that have not seen the samples; None if none."""
    LOG.info("card: predicting %d samples by cross-validation", len(labels))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    try:
        if not hasattr(estimator, "predict_proba"):
            return cross_val_predict(estimator, X, labels, cv=folds), None
        shares = cross_val_predict(estimator, X, labels, cv=folds, method="predict_proba")
    except Exception as error:  # a clone may raise anything
        LOG.warning("card: clones cannot be cross-validated: %s", first_line(error))
        return None
    known = np.unique(labels)
    probabilities = np.zeros((len(labels), len(classes)))
    probabilities[:, Predictions.from_labels(known, known, classes).labels] = shares
    return known[np.argmax(shares, axis=1)], probabilities


def _measure_learning(estimator: Any, X: Any, labels: npt.NDArray[Any]) -> LearningCurve | None:
    LOG.info("card: fitting clones on parts of the data")
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    try:
        sizes, fitted, unseen, *_ = learning_curve(
            estimator,
            X,
            labels,
            train_sizes=TRAIN_SIZES,
            cv=folds,
            scoring="accuracy",
            shuffle=True,
            random_state=0,
        )
    except Exception as error:  # a clone may raise anything
        LOG.warning("card: clones cannot be fitted on parts of the data: %s", first_line(error))
        return None
    has_score = ~np.isnan(unseen).any(axis=1)  # a clone cannot be fitted on a single class
    if not has_score.any():
        return None
    return LearningCurve(sizes[has_score], fitted[has_score], unseen[has_score])
