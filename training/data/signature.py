"""Infer an estimator's signature by probing it with missing and unseen values."""

from __future__ import annotations

from typing import Any

import numpy as np

from chalicelib.inputs.signature import Feature, Signature
from training.data.arrays import Arrays
from training.data.table import Table, call_estimator

# A category that no data set contains.
UNSEEN_CATEGORY = "no such category \N{WHITE QUESTION MARK ORNAMENT}"


def infer_signature(estimator: Any, table: Table) -> Signature:
    """Infer features, classes and probabilities of a fitted classifier.

    Each feature of the table's first sample is replaced in turn. A feature is required if the
    estimator raises, or returns a probability that is not finite, when its value is missing. Text
    features, and integer columns of a frame, are restricted to the table's values if it does so
    for an unseen value.
    """
    probe = _Probe(estimator, table)
    features = [
        Feature(
            name,
            kind,
            required=not probe.accepts(_first_without(table, index)),
            categories=_probe_categories(probe, table, index),
        )
        for index, (name, kind) in enumerate(zip(table.names, table.kinds, strict=True))
    ]
    classes = tuple(str(label) for label in np.asarray(estimator.classes_).tolist())
    return Signature(tuple(features), classes, probe.has_probabilities)


def known_values(table: Table, index: int) -> list[str] | list[float]:
    """Return the distinct values of a column, sorted, without missing and infinite ones."""
    column = table.column(index)
    if table.is_text(index):
        return sorted({str(value) for value in column if value is not None})
    values: list[float] = np.unique(column[np.isfinite(column)]).tolist()
    return values


class _Probe:
    """Call an estimator on samples that it may reject."""

    def __init__(self, estimator: Any, table: Table) -> None:
        self._estimator = estimator
        self._table = table
        self.has_probabilities = hasattr(estimator, "predict_proba")
        # Some estimators have the method, but it raises.
        self.has_probabilities &= self.accepts(table.samples.take([0]))

    def accepts(self, samples: Arrays) -> bool:
        X = self._table.to_estimator_input(samples)
        try:
            _, probabilities = call_estimator(
                self._estimator, X, probabilities=self.has_probabilities
            )
        except Exception:  # an estimator may raise anything
            return False
        return probabilities is None or bool(np.isfinite(probabilities).all())


def _probe_categories(probe: _Probe, table: Table, index: int) -> frozenset[str | float] | None:
    """Return the values of a column if the estimator rejects any other."""
    if table.kinds[index] not in ("categorical", "integer"):
        return None
    if probe.accepts(_first_with_unseen(table, index)):
        return None
    return frozenset(known_values(table, index))


def _first_without(table: Table, index: int) -> Arrays:
    return table.first_sample_with(index, None if table.is_text(index) else np.nan)


def _first_with_unseen(table: Table, index: int) -> Arrays:
    if table.is_text(index):
        return table.first_sample_with(index, UNSEEN_CATEGORY)
    return table.first_sample_with(index, np.nanmax(table.column(index)) + 1)
