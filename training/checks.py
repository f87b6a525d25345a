"""Check what is passed to `training.publish`: a name, a fitted classifier, samples and labels."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from training.data.fitted_columns import make_table
from training.data.table import Table
from training.errors import NotServable, first_line, one_line
from training.export.other_release import check_attribute
from training.progress import progress

_MAX_SHOWN_CHARACTERS = 50
_MANY_OUTPUTS = "has more than one output; a served classifier has exactly one."

PREDICTED_ROWS = 100_000  # at once

LOG = logging.getLogger(__name__)


def check_name(name: str) -> None:
    """Raise `NotServable` if a name cannot be printed: it is shown on terminals and in paths."""
    if not name or not name.isprintable():
        raise NotServable(
            f"The model's name, {name[:_MAX_SHOWN_CHARACTERS]!r}, is empty or has control "
            "characters: choose letters, digits and hyphens."
        )


def check_private(private: Sequence[str], names: list[str]) -> None:
    """Raise `NotServable` if a private feature is no column of the data: a typo would tell all."""
    if isinstance(private, str):
        raise NotServable("private must be a list of feature names, not text.")
    unknown = [name for name in private if name not in names]
    if unknown:
        raise NotServable(
            f"private names {unknown[0]!r}, which is not a feature of the model; its features are "
            f"{', '.join(names)}"
        )


def check_estimator(estimator: Any) -> None:
    """Raise `NotServable` if an object is not a fitted classifier with one output."""
    if isinstance(estimator, type):
        raise NotServable(f"{estimator.__name__} is a class: pass an instance of it, fitted.")
    name = type(estimator).__name__
    if not isinstance(estimator, BaseEstimator) and not hasattr(estimator, "predict"):
        raise NotServable(f"{name} is not a classifier.")
    if not is_classifier(estimator):
        raise NotServable(f"{name} is not a classifier.")
    if getattr(estimator, "refit", True) is False and not hasattr(estimator, "best_estimator_"):
        raise NotServable(f"{name} with refit=False keeps no classifier: fit it with refit=True.")
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise NotServable(f"{name} has not been fitted yet.") from None
    if isinstance(getattr(estimator, "classes_", None), list):
        raise NotServable(f"{name} {_MANY_OUTPUTS}")


def read_data(
    estimator: Any, X: Any, y: Any, feature_names: Sequence[str] | None
) -> tuple[Table, npt.NDArray[Any]]:
    """Return the samples and labels that a request can hold, or raise `NotServable`."""
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels.ravel()
    if labels.ndim == 0:
        raise NotServable(f"y must be a label for each sample, not {type(y).__name__}.")
    if labels.ndim != 1:
        raise NotServable(f"y has shape {labels.shape}: {type(estimator).__name__} {_MANY_OUTPUTS}")
    if pd.isna(labels).any():
        raise NotServable("There are missing values among the labels: leave out those samples.")
    table = make_table(estimator, X, feature_names)
    if len(table) != len(labels):
        raise NotServable(f"X has {len(table)} samples, but y has {len(labels)} labels.")
    rows = table.servable_rows()
    if not rows.any():
        raise NotServable("Every sample of X has an infinite number, which no request can hold.")
    if not rows.all():
        LOG.info("left out: %d samples with infinite numbers or broken text", (~rows).sum())
        table.keep_rows(rows)
    return table, labels[rows]


def predict_labels(estimator: Any, table: Table) -> list[Any]:
    """Return the labels of the table's samples."""
    parts = progress(table.samples.slices(PREDICTED_ROWS), "predicting")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            predicted = np.concatenate(
                [np.asarray(estimator.predict(table.to_estimator_input(part))) for part in parts]
            )
    except Exception as error:  # an estimator may raise anything
        raise NotServable(explain_rejection(estimator, error)) from error
    if predicted.shape != (len(table),):
        raise NotServable(
            f"{type(estimator).__name__} predicts labels of shape {predicted.shape} for "
            f"{len(table)} samples; a served classifier has exactly one label per sample."
        )
    labels: list[Any] = predicted.tolist()
    return labels


def explain_rejection(estimator: Any, error: Exception) -> str:
    """Return why an estimator cannot predict samples, and what to change.

    Raises `FittedElsewhere` if another release of scikit-learn fitted it.
    """
    check_attribute(error)
    name, reason = type(estimator).__name__, first_line(error)
    if isinstance(error, NotFittedError):
        return f"A part of {name} has not been fitted yet: fit the whole. {reason}"
    if "No neighbors found" in reason:
        return (
            f"{name} rejects samples without neighbors: set outlier_label, or a larger radius, and "
            "fit again."
        )
    return (
        f"{name} raises for samples that are within the ranges of X: "
        f"{type(error).__name__}: {reason}"
    )


def check_labels(estimator: Any, labels: npt.NDArray[Any]) -> None:
    """Raise `NotServable` if no label is one of the classes: they are of something else."""
    classes = np.asarray(estimator.classes_).tolist()
    known = {*classes, *map(str, classes)}
    if not any(label in known or str(label) in known for label in set(labels.tolist())):
        raise NotServable(
            f"No label of y is a class of {type(estimator).__name__}, whose classes are "
            f"{one_line(str(classes), 100)}: pass the labels that it was fitted on."
        )
