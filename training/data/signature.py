"""What an estimator can do without, and which values it refuses: found out by trying."""

from __future__ import annotations

from typing import Any

import numpy as np

from chalicelib.inputs.signature import Feature, Signature
from training.data.arrays import Arrays
from training.data.table import Table, call_estimator

# What no table is expected to hold.
UNSEEN_CATEGORY = "no such category \N{WHITE QUESTION MARK ORNAMENT}"


def infer_signature(estimator: Any, table: Table) -> Signature:
    """Find out what a fitted estimator takes.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    table : Table
        Samples like those that it was fitted on.

    Returns
    -------
    Signature
        A feature is required if the estimator fails, or answers with no number, where its value is
        missing. Text, and whole numbers of a frame, have categories if it fails for another one.
    """
    probed = _Probed(estimator, table)
    features = [
        Feature(
            name,
            kind,
            required=not probed.answers(_without(table, position)),
            categories=_categories(probed, table, position),
        )
        for position, (name, kind) in enumerate(zip(table.names, table.kinds, strict=True))
    ]
    classes = tuple(str(label) for label in np.asarray(estimator.classes_).tolist())
    return Signature(tuple(features), classes, probed.gives_probabilities)


def known_values(table: Table, position: int) -> list[str] | list[float]:
    """Give the values that a column holds.

    Parameters
    ----------
    table : Table
        The table.
    position : int
        Which column.

    Returns
    -------
    list of str or float
        Sorted.
    """
    column = table.column(position)
    if table.is_text(position):
        return sorted({str(value) for value in column if value is not None})
    values: list[float] = np.unique(column[np.isfinite(column)]).tolist()
    return values


class _Probed:
    """An estimator that is asked about samples which it may refuse."""

    def __init__(self, estimator: Any, table: Table) -> None:
        self._estimator = estimator
        self._table = table
        self.gives_probabilities = hasattr(estimator, "predict_proba")
        # Some have the method, and raise in it.
        self.gives_probabilities &= self.answers(table.samples.take([0]))

    def answers(self, samples: Arrays) -> bool:
        X = self._table.to_estimator_input(samples)
        try:
            _, given = call_estimator(self._estimator, X, probabilities=self.gives_probabilities)
        except Exception:  # however it says no
            return False
        return given is None or bool(np.isfinite(given).all())


def _categories(probed: _Probed, table: Table, position: int) -> frozenset[str | float] | None:
    if table.kinds[position] not in ("categorical", "integer"):
        return None
    if probed.answers(_with_another(table, position)):
        return None
    return frozenset(known_values(table, position))


def _without(table: Table, position: int) -> Arrays:
    return _first_with(table, position, None if table.is_text(position) else np.nan)


def _with_another(table: Table, position: int) -> Arrays:
    if table.is_text(position):
        return _first_with(table, position, UNSEEN_CATEGORY)
    return _first_with(table, position, np.nanmax(table.column(position)) + 1)


def _first_with(table: Table, position: int, value: object) -> Arrays:
    """Give the first sample with another value in one place."""
    first = table.samples.take([0])
    part: Any = first.texts if table.is_text(position) else first.numbers
    part[0, table.place(position)] = value
    return first
