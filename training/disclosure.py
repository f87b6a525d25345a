"""What a manifest tells about the training data: nothing that only a few samples share.

Whoever may call the API reads it. Ranges and categories are of at least `MIN_SAMPLES` samples, and
examples are made, not taken.
"""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from chalicelib.errors import InvalidRequest
from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.samples import read_samples
from chalicelib.inputs.signature import Feature, Signature
from training.data.table import Table, call_estimator

MIN_SAMPLES = 5

# Ranges and medians are rounded to this share of the range: two digits of it.
_RANGE_DIGITS = 2

# An example has one of these where the data has nothing to tell.
_GENERIC: dict[str, Any] = {"numeric": 0.0, "integer": 0, "boolean": False, "categorical": "text"}
_MAX_TEXT_CHARACTERS = 100
_MAX_CLASSES = 20  # whose typical sample is tried as an example
_MAX_NUMBERS = 3  # of a parameter of an estimator


def describe_feature(
    feature: Feature, table: Table, index: int, *, is_private: bool
) -> dict[str, Any]:
    """Describe a feature for `chalicelib.inputs.signature.Feature.from_document` and for clients.

    ``unlisted_categories`` are those that the server accepts and tells nobody.
    """
    document: dict[str, Any] = {
        "name": feature.name,
        "kind": feature.kind,
        "required": feature.required,
    }
    if is_private:
        document["private"] = True
    if feature.missing_is_none:
        document["missing"] = "none"
    if not is_private and feature.kind in ("numeric", "integer"):
        document |= _describe_range(feature, table.column(index))
    if feature.kind == "categorical" or feature.categories is not None:
        document["unknown_categories"] = "accepted" if feature.categories is None else "rejected"
    if feature.categories is not None:
        common = set() if is_private else {value for value, _ in _common_values(table, index)}
        known = sorted(feature.categories)
        document["categories"] = [to_json(value, feature) for value in known if value in common]
        unlisted = [to_json(value, feature) for value in known if value not in common]
        if unlisted:
            document["unlisted_categories"] = unlisted
    return document


def make_example(
    estimator: Any,
    table: Table,
    signature: Signature,
    features: Sequence[dict[str, Any]],
    predicted: Sequence[str],
) -> list[Any] | None:
    """Make a sample that the estimator accepts, of values that many samples share.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    table : Table
    signature : Signature
    features : sequence of dict
        From `describe_feature`.
    predicted : sequence of str
        Shape (samples,): the labels that the estimator predicts for the table.

    Returns
    -------
    list or None
        Shape (features,); None is a missing value. None if no sample can be made: a required
        feature has no category that may be told, or the estimator rejects each that was tried.
    """
    for rows in _typical_rows(table, predicted):
        values = [
            _typical_value(table, index, feature, document, rows)
            for index, (feature, document) in enumerate(
                zip(signature.features, features, strict=True)
            )
        ]
        if _accepts(estimator, table, signature, values):
            return values
    return None


def describe_estimator(estimator: Any) -> str:
    """Return how an estimator is constructed, without data among its parameters."""
    if not hasattr(estimator, "get_params") or isinstance(estimator, type):
        return f"{getattr(estimator, '__name__', type(estimator).__name__)}()"
    defaults = inspect.signature(type(estimator).__init__).parameters
    parameters = [
        f"{name}={_describe_parameter(value)}"
        for name, value in estimator.get_params(deep=False).items()
        if name not in defaults or repr(value) != repr(defaults[name].default)
    ]
    return f"{type(estimator).__name__}({', '.join(parameters)})"


def to_json(value: Any, feature: Feature) -> Any:
    """Convert a value to the JSON type of its feature, a missing one to None."""
    if value is None or value != value:
        return None
    if feature.kind == "boolean":
        return bool(value)
    return int(value) if feature.kind == "integer" else value


def _describe_range(feature: Feature, column: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Return the range and the median, rounded; at least `MIN_SAMPLES` are at or beyond each end.

    Empty if there are too few samples.
    """
    values = column[np.isfinite(column)]
    if len(values) < 2 * MIN_SAMPLES:
        return {}
    values.partition([MIN_SAMPLES - 1, len(values) - MIN_SAMPLES])
    low, high = float(values[MIN_SAMPLES - 1]), float(values[-MIN_SAMPLES])
    step = _step(feature, low, high)
    return {
        "min": to_json(_round(low, step, ROUND_FLOOR), feature),
        "max": to_json(_round(high, step, ROUND_CEILING), feature),
        "median": _round(float(np.median(values)), step, ROUND_HALF_EVEN),
    }


def _step(feature: Feature, low: float, high: float) -> Decimal | None:
    """Return the power of ten that values of a range are rounded to; None if all are one value."""
    if low == high:
        return None
    exponent = (Decimal(high) - Decimal(low)).adjusted() + 1 - _RANGE_DIGITS
    return Decimal(1).scaleb(max(exponent, 0) if feature.kind == "integer" else exponent)


def _round(value: float, step: Decimal | None, rounding: str) -> float:
    if step is None:
        return value
    steps = (Decimal(repr(value)) / step).to_integral_value(rounding=rounding)
    return float(steps * step)


def _common_values(table: Table, index: int) -> list[tuple[Any, int]]:
    """Return the values of a column that `MIN_SAMPLES` samples share, the most frequent first."""
    column = table.column(index)
    if table.is_text(index):
        counts = Counter(text for text in column if text is not None).most_common()
    else:
        values, occurrences = np.unique(column[np.isfinite(column)], return_counts=True)
        pairs = zip(values.tolist(), occurrences.tolist(), strict=True)
        counts = sorted(pairs, key=lambda pair: -pair[1])
    return [(value, count) for value, count in counts if count >= MIN_SAMPLES]


def _typical_rows(table: Table, predicted: Sequence[str]) -> Iterator[npt.NDArray[np.intp]]:
    """Yield the indices of all samples, then of the samples of each label."""
    yield np.arange(len(table))
    labels = np.asarray(predicted)
    for label, count in Counter(predicted).most_common(_MAX_CLASSES):
        if count >= MIN_SAMPLES:
            yield np.flatnonzero(labels == label)


def _typical_value(
    table: Table,
    index: int,
    feature: Feature,
    document: dict[str, Any],
    rows: npt.NDArray[np.intp],
) -> Any:
    """Return the median, or the most frequent value, of some samples, if it may be told."""
    column = table.column(index)[rows]
    if feature.categories is not None:
        listed = document["categories"]
        counts = Counter(to_json(value, feature) for value in column.tolist())
        return max(listed, key=counts.__getitem__, default=None)
    if document.get("private"):
        return _GENERIC[feature.kind]
    if feature.kind == "boolean":
        return bool(np.nanmean(column) > 0.5) if np.isfinite(column).any() else False
    if feature.kind == "categorical":
        return _typical_text(column.tolist())
    values = column[np.isfinite(column)]
    if "median" not in document or not len(values):
        return to_json(document.get("median", _GENERIC[feature.kind]), feature)
    low, high = document["min"], document["max"]
    median = _round(float(np.median(values)), _step(feature, low, high), ROUND_HALF_EVEN)
    return to_json(min(max(median, low), high), feature)


def _typical_text(texts: Iterable[str | None]) -> str:
    """Return the most frequent text if `MIN_SAMPLES` samples share it."""
    [(text, count)] = Counter(t for t in texts if t is not None).most_common(1) or [("", 0)]
    is_told = count >= MIN_SAMPLES and len(text) <= _MAX_TEXT_CHARACTERS
    return text if is_told else str(_GENERIC["categorical"])


def _accepts(estimator: Any, table: Table, signature: Signature, values: list[Any]) -> bool:
    """Return whether a request may hold a sample, and the estimator predicts it."""
    if all(value is None for value in values):
        return False
    sample = table.samples.take([0])
    try:
        read_samples([values], signature, locate_in_rows("example"), max_rows=1)
        for index, value in enumerate(values):
            is_missing_number = value is None and not table.is_text(index)
            table.column_of(sample, index)[0] = math.nan if is_missing_number else value
        _, probabilities = call_estimator(
            estimator, table.to_estimator_input(sample), probabilities=signature.has_probabilities
        )
    except InvalidRequest:
        return False
    except Exception:  # an estimator may raise anything
        return False
    return probabilities is None or bool(np.isfinite(probabilities).all())


def _describe_parameter(value: Any) -> str:
    """Return a parameter of an estimator; lists and tables may hold data, so they are left out."""
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, str):
        return repr(value) if len(value) <= _MAX_TEXT_CHARACTERS else "..."
    if isinstance(value, (list, tuple)):
        is_short = len(value) <= _MAX_NUMBERS and all(isinstance(v, (int, float)) for v in value)
        if is_short or any(_holds_estimator(item) for item in value):
            left, right = "[]" if isinstance(value, list) else "()"
            return f"{left}{', '.join(map(_describe_parameter, value))}{right}"
    if hasattr(value, "get_params"):
        return describe_estimator(value)
    return "..."


def _holds_estimator(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_estimator, value))
    return hasattr(value, "get_params")
