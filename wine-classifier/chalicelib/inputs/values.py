"""Parse the values of features, column by column, and name every problem."""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Iterator, Sequence
from math import isfinite, nan
from operator import itemgetter
from typing import Any

from chalicelib.inputs.numbers import (
    LARGEST_INTEGER,
    invalid_indices,
    json_type,
    number_problem,
    to_floats,
)
from chalicelib.inputs.problems import Locate, Problems
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.named_tuple import NamedTuple

INTEGER_TOO_LARGE = "is too large: a whole number may be up to 2**53"
UNKNOWN_CATEGORY = "is not a known category"

# Half of a surrogate pair: JSON can escape it, UTF-8 cannot encode it.
_LONE_SURROGATE = "[\ud800-\udfff]"

_BOOLEANS = {True: 1.0, False: 0.0}


class Column(NamedTuple):
    """The values of a feature.

    Parameters
    ----------
    values : sequence
        As JSON has them, or an array of numbers, in which NaN is a missing value.
    floats : array of float64, optional
        The same, if they are numbers that are converted already.
    """

    values: Sequence[Any]
    floats: array[float] | None = None

    def to_floats(self) -> array[float]:
        """Return the values as numbers, NaN or infinity where they are not finite numbers."""
        return to_floats(self.values) if self.floats is None else self.floats

    def to_json(self) -> Sequence[Any]:
        """Return the values as JSON has them."""
        values = self.values
        if isinstance(values, array):
            return [None if value != value else value for value in values.tolist()]
        return values


def rows_to_columns(rows: Sequence[Sequence[Any]], width: int) -> list[Column]:
    """Transpose rows of one width."""
    return [Column([row[index] for row in rows]) for index in range(width)]


class ColumnParser:
    """Parses the columns of one request.

    Parameters
    ----------
    signature : Signature
    locate : Locate
        Returns the path of a value in the request.
    problems : Problems
        Receives what does not fit the signature.
    """

    def __init__(self, signature: Signature, locate: Locate, problems: Problems) -> None:
        self._signature = signature
        self._locate = locate
        self._problems = problems

    def parse(
        self, columns: Sequence[Column | None], rows: int
    ) -> tuple[array[float], list[str | None]]:
        """Return numbers and texts, as `chalicelib.inputs.samples.Samples` has them.

        Parameters
        ----------
        columns : sequence of Column or None
            The column of each feature, in the model's order; None if it has none.
        rows : int
            The length of each.
        """
        if self._signature.is_unconstrained:
            return self._parse_matrix(columns, rows), []
        indices = self._signature.number_indices
        numbers = array("d", [nan]) * (rows * len(indices))
        for position, index in enumerate(indices):
            column = columns[index]
            if column is not None:
                parsed = self._parse_numbers(column, self._signature.features[index])
                numbers[position :: len(indices)] = parsed
        indices = self._signature.text_indices
        texts: list[str | None] = [None] * (rows * len(indices))
        for position, index in enumerate(indices):
            column = columns[index]
            if column is not None:
                parsed_texts = self._parse_texts(column, self._signature.features[index])
                texts[position :: len(indices)] = parsed_texts
        return numbers, texts

    def _parse_matrix(self, columns: Sequence[Column | None], rows: int) -> array[float]:
        """Parse columns of numbers; problems are reported row by row, as of a matrix."""
        features = self._signature.features
        numbers = array("d", [nan]) * (rows * len(features))
        problems = []
        for index, column in enumerate(columns):
            if column is not None:
                parsed = column.to_floats()
                numbers[index :: len(features)] = parsed
                invalid = invalid_indices(parsed, self._signature.largest_number)
                if invalid:
                    problems.append(self._find_problems(column, features[index], invalid))
        if problems:
            from heapq import merge  # few requests have one

            for row, feature, problem in merge(*problems, key=itemgetter(0)):
                self._reject(row, feature, problem)
        return numbers

    def _find_problems(
        self, column: Column, feature: Feature, invalid: list[int]
    ) -> Iterator[tuple[int, Feature, str]]:
        """Yield row, feature and problem of those invalid values that are not merely missing."""
        is_array = isinstance(column.values, array)
        for row in invalid:
            value = column.values[row]
            if is_array and value != value:
                value = None
            problem = number_problem(value, feature, self._signature)
            if problem is not None:
                yield row, feature, problem

    def _parse_numbers(self, column: Column, feature: Feature) -> array[float]:
        is_boolean = feature.kind == "boolean"
        numbers = _to_booleans(column.values) if is_boolean else column.to_floats()
        invalid = invalid_indices(numbers, self._signature.largest_number)
        for row, _, problem in self._find_problems(column, feature, invalid):
            self._reject(row, feature, problem)
        if feature.kind == "integer":
            self._check_integers(column, numbers, feature)
        if feature.categories is not None and not feature.categories.issuperset(numbers):
            for row, number in enumerate(numbers):
                if isfinite(number) and number not in feature.categories:
                    self._reject(row, feature, UNKNOWN_CATEGORY)
        return numbers

    def _check_integers(self, column: Column, numbers: array[float], feature: Feature) -> None:
        """Reject numbers that are not whole, or so large that they may be another's."""
        if all(map(float.is_integer, numbers)) and not invalid_indices(
            numbers, LARGEST_INTEGER - 1
        ):
            return
        for row, number in enumerate(numbers):
            if not abs(number) <= self._signature.largest_number:
                continue  # missing or rejected
            if not number.is_integer():
                self._reject(row, feature, "must be a whole number")
            elif abs(number) >= LARGEST_INTEGER and abs(column.values[row]) > LARGEST_INTEGER:
                self._reject(row, feature, INTEGER_TOO_LARGE)

    def _parse_texts(self, column: Column, feature: Feature) -> Sequence[str | None]:
        values = column.to_json()
        if set(map(type, values)) == {str}:
            if feature.categories is None:
                is_valid = all(map(str.isascii, values))
            else:
                is_valid = feature.categories.issuperset(values)
            if is_valid:
                return values
        return [self._parse_text(row, feature, value) for row, value in enumerate(values)]

    def _parse_text(self, row: int, feature: Feature, value: object) -> str | None:
        if value is None:
            if feature.required:
                self._reject(row, feature, "is required")
            return None
        if not isinstance(value, str):
            self._reject(row, feature, f"must be text, not {json_type(value)}")
            return None
        if not value.isascii() and re.search(_LONE_SURROGATE, value):
            self._reject(row, feature, "must be text that UTF-8 can encode")
            return None
        if feature.categories is not None and value not in feature.categories:
            path = self._locate(row, feature.name)
            self._problems.add_unknown(path, value, feature.listed_categories, UNKNOWN_CATEGORY)
        return value

    def _reject(self, row: int, feature: Feature, problem: str) -> None:
        self._problems.add(self._locate(row, feature.name), problem)


def _to_booleans(values: Sequence[Any]) -> array[float]:
    """Convert true to 1 and false to 0; what is neither becomes NaN."""
    if set(map(type, values)) == {bool}:
        return array("d", struct.pack(f"{len(values)}d", *values))
    return array("d", [_BOOLEANS[v] if isinstance(v, bool) else nan for v in values])
