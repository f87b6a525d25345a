"""Parse samples from JSON values to arrays, and name every problem."""

from __future__ import annotations

import functools
import re
from array import array
from collections.abc import Sequence
from itertools import chain
from math import isfinite, nan
from operator import itemgetter
from struct import pack
from typing import Any

from chalicelib.errors import TooManySamples
from chalicelib.inputs.problems import Locate, Problems, member_path
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.inputs.suggestions import shorten_name
from chalicelib.named_tuple import NamedTuple

# A number as text: JSON's grammar, plus a leading or trailing point and surrounding spaces.
NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)

# Half of a surrogate pair: JSON can escape it, UTF-8 cannot encode it.
_LONE_SURROGATE = "[\ud800-\udfff]"

# Beyond it float64 does not hold every whole number, so that two of them may become one.
LARGEST_INTEGER = 2**53
INTEGER_TOO_LARGE = "is too large: a whole number may be up to 2**53"
UNKNOWN_CATEGORY = "is not a known category"
NO_VALUE = "has no value: a sample needs at least one"

_BOOLEANS = {True: 1.0, False: 0.0}
_NUMERIC_TYPES = frozenset({int, float, type(None)})
_JSON_TYPES = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


class Samples(NamedTuple):
    """Samples that fit a signature.

    Parameters
    ----------
    rows : int
        Number of samples.
    numbers : array of float64
        Shape (samples, non-text features), row by row; NaN where missing, 1 for true.
    texts : list of str or None
        Shape (samples, text features), row by row; None where missing.
    is_batch : bool
        False if the request holds one sample that is not in a list.
    """

    rows: int
    numbers: array[float]
    texts: list[str | None]
    is_batch: bool = True

    def part(self, start: int, size: int) -> Samples:
        """Return some of the samples, at most `size` from index `start` on."""
        rows = min(size, self.rows - start)
        numbers, texts = len(self.numbers) // self.rows, len(self.texts) // self.rows
        return Samples(
            rows,
            self.numbers[start * numbers : (start + rows) * numbers],
            self.texts[start * texts : (start + rows) * texts],
            self.is_batch,
        )


def read_samples(
    data: object,
    signature: Signature,
    locate: Locate,
    *,
    max_rows: int,
    accepts_no_value: bool = False,
) -> Samples:
    """Parse samples.

    Parameters
    ----------
    data : object
        JSON value: a number or a string that holds one (the first feature alone), an object (one
        sample by name), a list of scalars (one sample by position), or a list of lists or a list
        of objects (a batch).
    signature : Signature
    locate : Locate
        Returns the path of a value in the request, for problems.
    max_rows : int
        Maximum number of samples.
    accepts_no_value : bool, default=False
        Whether a sample may have only missing values; in a request it is a mistake.

    Returns
    -------
    Samples

    Raises
    ------
    InvalidRequest
        If the samples do not fit the signature; lists all problems.
    TooManySamples
    """
    problems = Problems()
    is_batch = False
    samples: list[Any] = []
    if isinstance(data, list):
        is_batch = not {list, dict}.isdisjoint(map(type, data))
        samples = data if is_batch else [data]
        if not data:
            problems.add(locate(None, None), "has no samples")
    elif isinstance(data, dict):
        samples = [data]
    elif isinstance(data, (int, float, str)) and not isinstance(data, bool):
        if signature.features[0].kind != "categorical":
            data = _parse_number(data)
        samples = [[data] + [None] * (len(signature.features) - 1)]
    else:
        problem = f"must be a number, a list or an object, not {_json_type(data)}"
        problems.add(locate(None, None), problem)
    problems.raise_if_any()
    check_row_count(len(samples), max_rows)
    parser = _Parser(signature, samples, locate, is_batch=is_batch)
    return parser.parse(accepts_no_value=accepts_no_value)


def check_row_count(rows: int, max_rows: int) -> None:
    """Raise `TooManySamples` if there are more rows than one request may hold."""
    if rows > max_rows:
        raise TooManySamples(max_rows)


class _Parser:
    """Parses the samples of one request: in bulk, then one by one what is invalid."""

    def __init__(
        self, signature: Signature, samples: list[Any], locate: Locate, *, is_batch: bool
    ) -> None:
        self._signature = signature
        self._samples = samples
        self._locate = locate
        self._is_batch = is_batch
        self._problems = Problems()

    def parse(self, *, accepts_no_value: bool) -> Samples:
        values = self._order_rows()
        if not accepts_no_value and not self._signature.has_required:
            self._reject_missing_rows(values)
        if self._signature.is_unconstrained:
            numbers, texts = self._parse_matrix(values), []
        else:
            numbers, texts = self._parse_numbers(values), self._parse_texts(values)
        self._problems.raise_if_any()
        return Samples(len(values), numbers, texts, self._is_batch)

    def _order_rows(self) -> list[list[Any]]:
        """Return the values of each sample that has one for each feature, in the model's order."""
        types = set(map(type, self._samples))
        if types == {list} and set(map(len, self._samples)) == {len(self._signature.names)}:
            self._indices: Sequence[int] = range(len(self._samples))
            return self._samples
        if {list, dict} <= types:
            self._reject_mixed_types()
        rows = [self._order_values(index, sample) for index, sample in enumerate(self._samples)]
        self._indices = [index for index, row in enumerate(rows) if row is not None]
        return [row for row in rows if row is not None]

    def _reject_mixed_types(self) -> None:
        """Reject each list of a batch that begins with an object, and each object after a list."""
        first = next(type(s) for s in self._samples if type(s) in (list, dict))
        for index, sample in enumerate(self._samples):
            if type(sample) in (list, dict) and type(sample) is not first:
                problem = f"is {_json_type(sample)}, but the first sample is {_JSON_TYPES[first]}"
                self._problems.add(self._path(index), problem)
        self._problems.raise_if_any()

    def _reject_missing_rows(self, rows: list[list[Any]]) -> None:
        """Reject samples that have only missing values."""
        if None not in map(itemgetter(0), rows):
            return
        for row, values in enumerate(rows):
            if values[0] is None and values.count(None) == len(values):
                index = self._indices[row]
                sample = self._samples[index]  # may have values under unknown names
                if isinstance(sample, list) or all(v is None for v in sample.values()):
                    self._problems.add(self._path(index), NO_VALUE)

    def _order_values(self, index: int, sample: object) -> list[Any] | None:
        """Return a sample's values in the model's order, or None if it has the wrong form."""
        names = self._signature.names
        if isinstance(sample, dict):
            if not sample.keys() <= self._signature.known_names:
                self._reject_unknown_names(index, sample)
            return [sample.get(name) for name in names]
        if isinstance(sample, list):
            if len(sample) == len(names):
                return sample
            problem = f"has {len(sample)} values; the model takes {len(names)}"
        else:
            problem = f"must be a list or an object, not {_json_type(sample)}"
        self._problems.add(self._path(index), problem)
        return None

    def _reject_unknown_names(self, index: int, sample: dict[str, Any]) -> None:
        for name in sample:
            if name not in self._signature.known_names:
                path = member_path(self._path(index), shorten_name(name))
                problem = "is not a feature of this model"
                self._problems.add_unknown(path, name, self._signature.names, problem)

    def _parse_matrix(self, rows: list[list[Any]]) -> array[float]:
        """Parse samples whose features are all numbers."""
        features = self._signature.features
        values = list(chain.from_iterable(rows))
        numbers = to_floats(values)
        for index in invalid_indices(numbers, self._signature.largest_number):
            row, column = divmod(index, len(features))
            self._check_number(row, features[column], values[index])
        return numbers

    def _parse_numbers(self, rows: list[list[Any]]) -> array[float]:
        """Parse the features that are not text, column by column."""
        indices = self._signature.number_indices
        numbers = array("d", bytes(8 * len(rows) * len(indices)))
        for column, index in enumerate(indices):
            feature = self._signature.features[index]
            values = [row[index] for row in rows]
            if feature.kind == "boolean":
                parsed = array("d", [_BOOLEANS[v] if isinstance(v, bool) else nan for v in values])
            else:
                parsed = to_floats(values)
            for row in invalid_indices(parsed, self._signature.largest_number):
                self._check_number(row, feature, values[row])
            self._check_choice(feature, parsed, values)
            numbers[column :: len(indices)] = parsed
        return numbers

    def _parse_texts(self, rows: list[list[Any]]) -> list[str | None]:
        """Parse the features that are text, column by column."""
        indices = self._signature.text_indices
        texts: list[str | None] = [None] * (len(rows) * len(indices))
        for column, index in enumerate(indices):
            feature = self._signature.features[index]
            texts[column :: len(indices)] = [
                self._parse_text(row, feature, values[index]) for row, values in enumerate(rows)
            ]
        return texts

    def _check_number(self, row: int, feature: Feature, value: object) -> None:
        problem = number_problem(value, feature, self._signature)
        if problem is not None:
            self._reject(row, feature, problem)

    def _check_choice(self, feature: Feature, numbers: array[float], values: list[Any]) -> None:
        """Reject what is no whole number of an integer feature, or not among its categories."""
        if feature.kind == "integer":
            for row, number in enumerate(numbers):
                if not abs(number) <= self._signature.largest_number:
                    continue  # missing or rejected
                if not number.is_integer():
                    self._reject(row, feature, "must be a whole number")
                elif abs(number) >= LARGEST_INTEGER and abs(values[row]) > LARGEST_INTEGER:
                    self._reject(row, feature, INTEGER_TOO_LARGE)
        if feature.categories is not None:
            for row, number in enumerate(numbers):
                if isfinite(number) and number not in feature.categories:
                    self._reject(row, feature, UNKNOWN_CATEGORY)

    def _parse_text(self, row: int, feature: Feature, value: object) -> str | None:
        if value is None:
            if feature.required:
                self._reject(row, feature, "is required")
            return None
        if not isinstance(value, str):
            self._reject(row, feature, f"must be text, not {_json_type(value)}")
            return None
        if not value.isascii() and re.search(_LONE_SURROGATE, value):
            self._reject(row, feature, "must be text that UTF-8 can encode")
            return None
        if feature.categories is not None and value not in feature.categories:
            path = self._value_path(row, feature)
            self._problems.add_unknown(path, value, feature.listed_categories, UNKNOWN_CATEGORY)
        return value

    def _reject(self, row: int, feature: Feature, problem: str) -> None:
        self._problems.add(self._value_path(row, feature), problem)

    def _value_path(self, row: int, feature: Feature) -> str:
        return self._path(self._indices[row], feature.name)

    def _path(self, index: int, feature: str | None = None) -> str:
        return self._locate(index if self._is_batch else None, feature)


def number_problem(value: object, feature: Feature, signature: Signature) -> str | None:
    """Return why a value is not a finite number, unless it is missing and may be."""
    if value is None:
        return "is required" if feature.required else None
    if feature.kind == "boolean":
        return f"must be true or false, not {_json_type(value)}"
    if _json_type(value) == "a number":
        largest = f"{signature.largest_number:g}".replace("e+", "e")
        return f"is too large: a number may be up to {largest}"
    return f"must be a number, not {_json_type(value)}"


def invalid_indices(numbers: array[float], largest: float) -> list[int]:
    """Return the indices of NaN (missing, or not a number) and of numbers that are too large."""
    # The last byte of each is its sign and the upper part of its exponent: few are looked at.
    if not numbers.tobytes()[7::8].translate(None, _small_bytes(largest)):
        return []
    return [index for index, n in enumerate(numbers) if not abs(n) <= largest]


@functools.cache
def _small_bytes(largest: float) -> bytes:
    """Return what the last byte is of numbers that are surely no larger, of either sign."""
    largest_byte = array("d", [largest]).tobytes()[7]
    return bytes([*range(largest_byte), *range(128, 128 + largest_byte)])


def to_floats(values: list[Any]) -> array[float]:
    """Convert values to floats; what is not a finite number becomes NaN or infinity."""
    if list(map(type, values)).count(float) == len(values):  # the commonest case, tested fastest
        return array("d", pack(f"{len(values)}d", *values))
    types = set(map(type, values))
    if types <= _NUMERIC_TYPES:
        numbers = [nan if v is None else v for v in values] if type(None) in types else values
        try:
            return array("d", numbers)
        except OverflowError:  # an integer beyond the range of float64
            pass
    return array("d", map(_to_float, values))


def _to_float(value: object) -> float:
    if type(value) not in (int, float):
        return nan
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return float("inf")


def _parse_number(value: float | str) -> float | str:
    """Parse a number that is sent as text, as in ``{"data": ".10"}``; return other text."""
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        return value
    return float(value)


def _json_type(value: object) -> str:
    return _JSON_TYPES.get(type(value), "another type")
