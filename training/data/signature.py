"""Infer an estimator's signature by probing it with missing and unseen values."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from chalicelib.inputs.signature import Feature, Signature
from training.data.arrays import Arrays
from training.data.fitted_columns import find_column_transformers
from training.data.parts import find_estimators
from training.data.table import Table, call_estimator
from training.errors import NotServable

LOG = logging.getLogger(__name__)

# A category that no data set contains.
UNSEEN_CATEGORY = "no such category \N{WHITE QUESTION MARK ORNAMENT}"

_MAX_PROBED_VALUES = 4_000_000  # in one call of the estimator
_BATCH_FACTOR = 4
_MAX_PROBED_ALONE = 200  # of more features, those that are treated alike are not all probed
_PROBED_OF_ALIKE = 20
_MISSING_ROWS = 1_000

_ENCODERS = (OneHotEncoder, OrdinalEncoder, TargetEncoder)

Change = tuple[int, object]  # the index of a column and its new value


def infer_signature(estimator: Any, table: Table) -> Signature:
    """Infer features, classes and probabilities of a fitted classifier.

    Each feature of the table's first sample is replaced in turn. A feature is required if the
    estimator raises, or returns a probability that is not finite, when its value is missing. A
    feature is restricted to the table's values, and others that encoders know, if it does so for an
    unseen one.

    Raises
    ------
    NotServable
        If a column holds both None and NaN, and the estimator predicts differently for them.
    """
    probe = _Probe(estimator, table)
    known = _KnownValues(estimator, table)
    for index in table.mixed_missing:
        _choose_missing(estimator, table, index)
    indices = range(len(table.names))
    LOG.info("probing %d features", len(table.names))
    optional = probe.accepts_each([(index, _missing(table, index)) for index in indices])
    closed = _closed_features(probe, known)
    features = [
        Feature(
            table.names[index],
            table.kinds[index],
            required=not optional[index],
            categories=closed.get(index),
            missing_is_none=table.missing_is_none(index),
        )
        for index in indices
    ]
    classes = tuple(str(label) for label in np.asarray(estimator.classes_).tolist())
    return Signature(
        tuple(features),
        classes,
        probe.has_probabilities,
        unused_columns=table.unused_columns,
        is_text_sequence=table.is_text_sequence,
    )


def value_range(column: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the smallest and the largest finite value; -1 and 1 of a column without any."""
    finite = column[np.isfinite(column)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (-1.0, 1.0)


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
        self._treatment = _treatment(estimator, table)
        self.has_probabilities = hasattr(estimator, "predict_proba")
        # Some estimators have the method, but it raises.
        self.has_probabilities &= self._accepts_rows(table.samples.take([0])) == [True]

    def accepts_each(self, changes: Sequence[Change]) -> list[bool]:
        """Return for each change of the first sample whether the estimator accepts the result.

        Several are asked in one call. The estimator may raise for all of them because of one, so
        they are asked again in smaller batches then. Of many columns that are treated alike, a
        few are asked first: if all are rejected, so are the others.
        """
        if len(changes) <= _MAX_PROBED_ALONE:
            return self._accepts_in_batches(changes)
        groups: dict[Any, list[int]] = {}
        for number, (index, _) in enumerate(changes):
            groups.setdefault(self._treatment[index], []).append(number)
        accepted = [False] * len(changes)
        for numbers in groups.values():
            some = numbers[:: max(1, len(numbers) // _PROBED_OF_ALIKE)]
            if any(self._accepts_in_batches([changes[number] for number in some])):
                results = self._accepts_in_batches([changes[number] for number in numbers])
                for number, result in zip(numbers, results, strict=True):
                    accepted[number] = result
        return accepted

    def _accepts_in_batches(self, changes: Sequence[Change]) -> list[bool]:
        largest = max(1, _MAX_PROBED_VALUES // len(self._table.names))
        accepted: list[bool] = []
        size = largest
        while len(accepted) < len(changes):
            batch = list(changes[len(accepted) : len(accepted) + size])
            result = self._accepts_rows(self._table.first_sample_with_each(batch))
            if result is not None:
                accepted += result
                size = min(largest, size * _BATCH_FACTOR)
            elif len(batch) == 1:
                accepted.append(False)
            else:
                size = max(1, len(batch) // _BATCH_FACTOR)
        return accepted

    def _accepts_rows(self, samples: Arrays) -> list[bool] | None:
        """Return which samples have finite probabilities, or None if the estimator raises."""
        try:
            _, probabilities = call_estimator(
                self._estimator,
                self._table.to_estimator_input(samples),
                probabilities=self.has_probabilities,
            )
        except Exception:  # an estimator may raise anything
            return None
        if probabilities is not None and probabilities.shape != (
            len(samples.numbers),
            len(self._estimator.classes_),
        ):
            return None
        if probabilities is None:
            return [True] * len(samples.numbers)
        finite: list[bool] = np.isfinite(probabilities).all(axis=1).tolist()
        return finite


def _treatment(estimator: Any, table: Table) -> list[Any]:
    """Return for each column what says how it is treated: equal for columns that are alike."""
    width = len(table.names) + len(table.unused_columns)
    branches: dict[int, tuple[str, ...]] = {}
    for transformer in find_column_transformers(estimator):
        if transformer.n_features_in_ == width:
            for name, indices in transformer._transformer_to_input_indices.items():
                for index in indices:
                    branches[index] = (*branches.get(index, ()), name)
    used = [column for column in range(width) if column not in table.unused_columns]
    return [
        (table.kinds[index], table.has_missing(index), branches.get(column))
        for index, column in enumerate(used)
    ]


def _choose_missing(estimator: Any, table: Table, index: int) -> None:
    """Check that None and NaN are the same to the estimator in a column that holds both."""
    changes = table.samples.take(list(range(min(len(table), _MISSING_ROWS))))
    table.column_of(changes, index)[:] = _missing(table, index)
    predictions: list[Any] = []
    for value in (None, np.nan):
        table.set_missing(index, value)
        try:
            X = table.to_estimator_input(changes)
            has_probabilities = hasattr(estimator, "predict_proba")
            labels, probabilities = call_estimator(estimator, X, probabilities=has_probabilities)
            predictions.append((labels, None if probabilities is None else probabilities.tolist()))
        except Exception:  # an estimator may raise anything
            predictions.append(None)
    if predictions[0] != predictions[1]:
        raise NotServable(
            f"Column {table.names[index]!r} holds None for missing values, and NaN or numbers too. "
            f"{type(estimator).__name__} predicts differently for None and NaN, which are both "
            "null in a request: fit on one of them."
        )


class _KnownValues:
    """The values of each column, and those that encoders of the estimator know beside them.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    table : Table

    Attributes
    ----------
    encoded : list of list
        For each column, values that it does not hold, and that an encoder of such a column knows.
        Texts are only those that the user listed: what a step before puts in place of a missing
        text is a category, too.
    """

    def __init__(self, estimator: Any, table: Table) -> None:
        self.table = table
        encoders = [part for part in find_estimators(estimator) if isinstance(part, _ENCODERS)]
        listed, learned = (
            [
                _to_set(categories)
                for encoder in encoders
                if isinstance(encoder.categories, str) is is_learned
                for categories in getattr(encoder, "categories_", ())  # a template is not fitted
            ]
            for is_learned in (False, True)
        )
        self.encoded = [self._find_encoded(i, listed, learned) for i in range(len(table.names))]

    def _find_encoded(
        self, index: int, listed: list[set[Any]], learned: list[set[Any]]
    ) -> list[Any]:
        is_text = self.table.is_text(index)
        if self.table.kinds[index] == "boolean" or not (listed or (learned and not is_text)):
            return []
        if not is_text:  # a column of many numbers is not read for nothing
            ends = set(value_range(self.table.column(index)))
            listed, learned = (
                [each for each in sets if each >= ends] for sets in (listed, learned)
            )
            if not (listed or learned):
                return []
        known = set(known_values(self.table, index))
        if not known:
            return []
        sets = listed if is_text or known in learned else listed + learned
        return sorted(set().union(*(values - known for values in sets if values > known)))

    def unseen(self, index: int) -> list[object]:
        """Return values that nobody knows, to tell known values from a range of numbers."""
        table = self.table
        if table.is_text(index):
            return [UNSEEN_CATEGORY]
        column = table.column(index)
        values = np.append(column[np.isfinite(column)], self.encoded[index])
        if not len(values):
            return []
        low, high = values.min(), values.max()
        if table.kinds[index] == "boolean":
            return [1.0 - low] if low == high else []
        if low == high or table.kinds[index] == "integer":
            return [high + 1]
        return [high + 1, (low + values[values > low].min()) / 2]


def _to_set(categories: Any) -> set[Any]:
    """Return the categories of an encoder without missing ones; numbers are float."""
    return {
        value if isinstance(value, str) else float(value)
        for value in np.asarray(categories).tolist()
        if isinstance(value, str | int | float) and value == value
    }


def _closed_features(probe: _Probe, known: _KnownValues) -> dict[int, frozenset[Any]]:
    """Return the values of the features whose unseen values the estimator rejects."""
    table = known.table
    unseen = [(i, value) for i in range(len(table.names)) for value in known.unseen(i)[:1]]
    accepted = probe.accepts_each(unseen)
    rejected = [index for (index, _), accepts in zip(unseen, accepted, strict=True) if not accepts]
    # Numbers may be limited to a range rather than to the known values.
    between = [(index, value) for index in rejected for value in known.unseen(index)[1:]]
    accepted = probe.accepts_each(between)
    open_features = {
        index for (index, _), accepts in zip(between, accepted, strict=True) if accepts
    }
    # And some estimators reject any sample that is unlike those they know.
    some = [(index, value) for index in rejected for value in _some_known(table, index)]
    accepted = probe.accepts_each(some)
    open_features |= {
        index for (index, _), accepts in zip(some, accepted, strict=True) if not accepts
    }
    closed = sorted(set(rejected) - open_features)
    encoded = [(index, value) for index in closed for value in known.encoded[index]]
    categories = {index: set(known_values(table, index)) for index in closed}
    for (index, value), accepts in zip(encoded, probe.accepts_each(encoded), strict=True):
        if accepts:
            categories[index].add(value)
    return {index: frozenset(values) for index, values in categories.items()}


def _some_known(table: Table, index: int) -> list[object]:
    """Return a few values of a column of numbers, which an estimator of categories accepts."""
    if table.is_text(index) or table.kinds[index] == "boolean":
        return []
    column = table.column(index)
    values = np.unique(column[np.isfinite(column)])
    return [values[0], values[len(values) // 2], values[-1]] if len(values) else []


def _missing(table: Table, index: int) -> float | None:
    return None if table.is_text(index) else np.nan
