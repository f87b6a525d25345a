"""Samples that arrive as columns: the same arrays and problems as of rows."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import nan
from typing import Any

import pytest

from chalicelib.errors import InvalidRequest, Problem, TooManySamples
from chalicelib.inputs.columns import read_columns, read_rows
from chalicelib.inputs.problems import locate_in_columns
from chalicelib.inputs.samples import NO_VALUE, Samples, read_samples
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.inputs.values import Column

NUMBERS = Signature(
    tuple(Feature(name, "numeric", required=False) for name in "xyz"), ("no", "yes")
)
MIXED = Signature(
    (
        Feature("colour", "categorical", True, frozenset(["red", "blüe"]), False, ("red", "blüe")),
        Feature("doors", "integer", required=False, categories=frozenset([2.0, 4.0])),
        Feature("used", "boolean", required=False),
        Feature("note", "categorical", required=False),
    ),
    ("no", "yes"),
)

# Columns in another order than the features, and the index of each feature's column.
NUMBER_COLUMNS: tuple[list[Any], ...] = ([0.5, None, 3], [1.5, None, 1e300], [True, None, "1"])
NUMBER_ORDER = [2, 0, 1]


def locate(row: int | None, feature: str | None) -> str:
    """Locate a value in columns by name."""
    return locate_in_columns("inputs", lambda name: f"inputs.{name}")(row, feature)


def read(
    columns: Sequence[Any], order: list[int | None], signature: Signature = NUMBERS
) -> Samples:
    """Read columns of one length."""
    parsed = [Column(values) for values in columns]
    rows = len(columns[0])
    return read_columns(parsed, order, signature, locate, rows=rows, max_rows=5)


def problems(
    columns: Sequence[Any], order: list[int | None], signature: Signature = NUMBERS
) -> list[Problem]:
    """Return the problems of columns."""
    with pytest.raises(InvalidRequest) as caught:
        read(columns, order, signature)
    return caught.value.problems


def rows_of(columns: Sequence[Any], order: list[int | None]) -> list[list[Any]]:
    """Return the same samples as rows in the order of the features."""
    count = len(columns[0])
    return [[None if i is None else columns[i][row] for i in order] for row in range(count)]


@pytest.mark.parametrize("order", [[2, 0, 1], [0, 1, 2], [1, None, 0]])
def test_columns_of_numbers_become_the_matrix_of_their_rows(order: list[int | None]) -> None:
    """In the order of the features; one without a column is missing."""
    columns: list[list[Any]] = [[0.5, None, 3], [1.5, 7.0, 1e300], [0, 1.0, 2]]
    expected = read_samples(rows_of(columns, order), NUMBERS, locate, max_rows=5)
    samples = read(columns, order)
    assert repr(samples) == repr(expected)
    arrays = [array("d", [nan if v is None else v for v in column]) for column in columns]
    assert repr(read(arrays, order)) == repr(expected)


def test_columns_of_every_kind_become_the_arrays_of_their_rows() -> None:
    """Missing values too."""
    columns = [[True, None, False], [None, "é", "ok"], ["red", "blüe", "red"], [2, 4.0, None]]
    order: list[int | None] = [2, 3, 0, 1]
    expected = read_samples(rows_of(columns, order), MIXED, locate, max_rows=5)
    samples = read(columns, order, MIXED)
    assert repr(samples) == repr(expected)
    assert repr(samples.numbers.tolist()) == "[2.0, 1.0, 4.0, nan, nan, 0.0]"
    assert samples.texts == ["red", None, "blüe", "é", "red", "ok"]


def test_problems_of_numbers_are_listed_row_by_row() -> None:
    """As in a matrix, whatever the order of the columns; rows without any value come first."""
    assert problems(NUMBER_COLUMNS, [2, 0, 1]) == [
        ("inputs[1]", NO_VALUE),
        ("inputs.x[0]", "must be a number, not a boolean"),
        ("inputs.x[2]", "must be a number, not text"),
    ]
    assert problems([["a", 1.0], [1.0, []], [{}, 2.0]], [2, 0, 1]) == [
        ("inputs.x[0]", "must be a number, not an object"),
        ("inputs.y[0]", "must be a number, not text"),
        ("inputs.z[1]", "must be a number, not a list"),
    ]
    assert problems([["a", 1.0], [1.0, []], [1.0, {}]], [2, 0, 1]) == [
        ("inputs.y[0]", "must be a number, not text"),
        ("inputs.x[1]", "must be a number, not an object"),
        ("inputs.z[1]", "must be a number, not a list"),
    ]


def test_problems_of_other_kinds_are_listed_by_feature() -> None:
    """Each with its row."""
    columns = [["red", "rad", None], [3, 2.5, 2**53 + 1], [1, None, True], ["\ud800", 5, "ok"]]
    assert problems(columns, [0, 1, 2, 3], MIXED) == [
        ("inputs.doors[1]", "must be a whole number"),
        ("inputs.doors[2]", "is too large: a whole number may be up to 2**53"),
        ("inputs.doors[0]", "is not a known category"),
        ("inputs.doors[1]", "is not a known category"),
        ("inputs.doors[2]", "is not a known category"),
        ("inputs.used[0]", "must be true or false, not a number"),
        ("inputs.colour[1]", "is not a known category; did you mean 'red'?"),
        ("inputs.colour[2]", "is required"),
        ("inputs.note[0]", "must be text that UTF-8 can encode"),
        ("inputs.note[1]", "must be text, not a number"),
    ]


def test_a_row_is_without_a_value_if_no_column_has_one() -> None:
    """In lists as in arrays, and a column of whole numbers has one in each row."""
    missing = [None, 1.0, None], array("d", [nan, nan, nan])
    assert problems(missing, [0, 1, None]) == [("inputs[0]", NO_VALUE), ("inputs[2]", NO_VALUE)]
    assert read([*missing, array("q", [1, 2, 3])], [0, 1, 2]).rows == 3


def test_a_nan_of_an_array_is_a_missing_value() -> None:
    """Of numbers that have to be there, and of numbers where texts are expected."""
    kinds = Signature(
        (
            Feature("a", "numeric", required=True),
            Feature("b", "integer", required=True),
            Feature("c", "categorical", required=False),
            Feature("d", "categorical", required=True),
        ),
        ("no", "yes"),
    )
    columns = [array("d", [nan, 1.0])] * 4
    assert problems(columns, [0, 1, 2, 3], kinds) == [
        ("inputs.a[0]", "is required"),
        ("inputs.b[0]", "is required"),
        ("inputs.c[1]", "must be text, not a number"),
        ("inputs.d[0]", "is required"),
        ("inputs.d[1]", "must be text, not a number"),
    ]
    required = Signature(kinds.features[:1], kinds.classes)
    assert problems(columns[:1], [0], required) == [("inputs.a[0]", "is required")]


def test_whole_numbers_end_at_the_last_one_that_float64_tells_from_the_next() -> None:
    """Of either sign."""
    integers = Signature((Feature("n", "integer", required=False),), ("no", "yes"))
    assert read([[2**53, -(2**53), 2.0**53, 0]], [0], integers).rows == 4
    for value in (2**53 + 1, -(2**53) - 1, 2**53 + 2, 1e16):
        assert problems([[1, value]], [0], integers) == [
            ("inputs.n[1]", "is too large: a whole number may be up to 2**53")
        ]


def test_columns_without_rows_or_with_too_many_are_rejected() -> None:
    """As lists of samples are."""
    assert problems([[], [], []], [0, 1, 2]) == [("inputs", "has no samples")]
    with pytest.raises(TooManySamples):
        read([[1.0] * 6], [0, None, None])


@pytest.mark.parametrize("values", [[0.5, 1.5, 2.5], [0.5, None, 2.5]])
@pytest.mark.parametrize("order", [[2, 0, 1], [0, 2, 1]])
def test_rows_of_a_table_are_reordered(order: list[int | None], values: list[Any]) -> None:
    """To the samples of the same rows in the order of the features."""
    rows = [values, [1.0, 0.0, 5]]
    reordered = [[row[column] for column in order if column is not None] for row in rows]
    expected = read_samples(reordered, NUMBERS, locate, max_rows=5)
    assert repr(read_rows(rows, order, NUMBERS, locate, width=3, max_rows=5)) == repr(expected)


@pytest.mark.parametrize("order", [[0, None, 2], [None, 1, 0]])
def test_a_feature_without_a_column_is_missing_in_each_row(order: list[int | None]) -> None:
    """Though a table has as many columns as the model has features."""
    rows = [[0.5, 1.5, 2.5], [1.0, 2.0, 3.0]]
    expected = read_samples(
        [[None if i is None else row[i] for i in order] for row in rows],
        *(NUMBERS, locate),
        max_rows=5,
    )
    assert repr(read_rows(rows, order, NUMBERS, locate, width=3, max_rows=5)) == repr(expected)


def test_rows_of_numbers_are_checked_against_each_kind() -> None:
    """Here all features are numbers, but not any number fits."""
    pair = Signature((Feature("a", "integer", False), Feature("b", "numeric", False)), ("no", "y"))
    assert read_rows([[0.5, 2], [1, 4]], [1, 0], pair, locate, width=2, max_rows=5).rows == 2
    with pytest.raises(InvalidRequest) as caught:
        read_rows([[2, 0.5], [1, 4]], [1, 0], pair, locate, width=2, max_rows=5)
    assert caught.value.problems == [("inputs.a[0]", "must be a whole number")]


def test_problems_of_rows_are_listed_row_by_row_in_the_order_of_the_features() -> None:
    """Whatever the order of the columns."""
    with pytest.raises(InvalidRequest) as caught:
        read_rows([[True, 1, "2"]], [2, 1, 0], NUMBERS, locate, width=3, max_rows=5)
    assert caught.value.problems == [
        ("inputs.x[0]", "must be a number, not text"),
        ("inputs.z[0]", "must be a number, not a boolean"),
    ]
