"""Numbers in bulk: what is no number, or too large, is found among many that are."""

from __future__ import annotations

from array import array
from math import inf, isnan, nan
from typing import Any

import pytest

from chalicelib.inputs.numbers import invalid_indices, pack_rows, to_floats
from chalicelib.inputs.signature import Feature, Signature

PAIR = Signature(
    (Feature("x", "numeric", required=True), Feature("y", "numeric", required=True)), ("a", "b")
)
ONE = Signature((Feature("x", "numeric", required=True),), ("a", "b"))
OPTIONAL = Signature(
    (Feature("x", "numeric", required=False), Feature("y", "numeric", required=False)), ("a", "b")
)

# More than are looked at one by one.
MANY = 1_000


@pytest.mark.parametrize("typecode", ["d", "f"])
@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("others", [[0.5, -1e30, 3.4e38], [0.5, -2.0, 1.0]])
def test_a_number_that_is_not_finite_is_found_wherever_it_is(
    typecode: str, index: int, value: float, others: list[float]
) -> None:
    """In float32 too, of which two are as long as a float64."""
    numbers = array(typecode, others)
    assert invalid_indices(numbers, 1e300) == []
    numbers[index] = value
    assert invalid_indices(numbers, 1e300) == [index]


def test_the_largest_number_is_valid_and_the_next_one_is_not() -> None:
    """Of either sign."""
    numbers = array("d", [1e9, -1e9, 1e9 + 1, -1e9 - 1])
    assert invalid_indices(numbers, 1e9) == [2, 3]


@pytest.mark.parametrize("others", [[0.5], [0, 1.0], [0.0, 1.0] * MANY])
@pytest.mark.parametrize("boolean", [True, False])
def test_a_boolean_is_no_number(others: list[float], boolean: bool) -> None:
    """Though it equals one, and however many numbers equal it."""
    assert to_floats(others).tolist() == others
    first, *rest = to_floats([boolean, *others])
    assert isnan(first)
    assert rest == others
    *rest, last = to_floats([*others, boolean])
    assert isnan(last)
    assert rest == others
    rows = [[number, number] for number in others]
    assert pack_rows(rows, PAIR) is not None
    for row in ([boolean, 0.5], [0.5, boolean]):
        assert pack_rows([*rows, row], PAIR) is None
        assert pack_rows([row, *rows], PAIR) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None, "1", [1], {}, 2.5], [1, nan, nan, nan, nan, 2.5]),
        ([1, None, 2.5], [1, nan, 2.5]),
        ([10**400, 1, None], [inf, 1, nan]),
        ([], []),
        (array("q", [2**53 + 1, -1]), [2**53, -1]),
        (array("f", [0.1]), [array("f", [0.1])[0]]),
    ],
)
def test_what_is_no_finite_number_becomes_nan_or_infinity(values: Any, expected: Any) -> None:
    """One value does not change the others."""
    assert list(map(repr, to_floats(values))) == list(map(repr, map(float, expected)))


def test_complete_rows_are_packed_in_the_order_of_the_features() -> None:
    """Lists, objects in any order, and whole numbers."""
    expected = array("d", [1, 2.5, 3, 4])
    assert pack_rows([[1, 2.5], [3, 4]], PAIR) == expected
    assert pack_rows([{"y": 2.5, "x": 1}, {"x": 3, "y": 4}], PAIR) == expected
    assert pack_rows([{"x": 2.0}], ONE) == array("d", [2])


@pytest.mark.parametrize(
    "row",
    [
        [1],
        [1, 2, 3],
        [1, "2"],
        [1, None],
        [1, [2]],
        [1, 1e301],
        [1, 10**400],
        {"x": 1},
        {"x": 1, "z": 2},
        {"x": 1, "y": 2, "z": 3},
        {"x": 1, "y": None},
        "12",
        None,
        1,
    ],
)
def test_rows_that_are_not_complete_and_valid_are_left_to_the_parser(row: Any) -> None:
    """Which names what is wrong with them."""
    for valid in ([1.5, 2.5], {"x": 1.5, "y": 2.5}):
        assert pack_rows([valid], PAIR) is not None
        assert pack_rows([valid, row], PAIR) is None
        assert pack_rows([row, valid], PAIR) is None
    assert pack_rows([row, row], PAIR) is None
    assert pack_rows([row], PAIR) is None
    assert pack_rows([[1.5, 2.5], {"x": 1.5, "y": 2.5}], PAIR) is None
    assert pack_rows([{"x": [2.0]}], ONE) is None


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ([1, 2.5], [1.0, 2.5]),
        ({"y": 2.5, "x": 1}, [1.0, 2.5]),
        ([-1e300, 1e300], [-1e300, 1e300]),
    ],
)
def test_one_complete_sample_is_packed(sample: Any, expected: list[float]) -> None:
    """In the order of the features."""
    assert pack_rows([sample], PAIR) == pack_rows([sample], OPTIONAL) == array("d", expected)


@pytest.mark.parametrize("sample", [[None, 2.5], {"y": 2.5}, {"x": None, "y": 2.5}])
def test_a_missing_value_is_packed_as_nan_if_no_feature_is_required(sample: Any) -> None:
    """Else the parser names it; so it does if a sample has no value at all."""
    packed = pack_rows([sample], OPTIONAL)
    assert packed is not None
    assert list(map(repr, packed)) == ["nan", "2.5"]
    assert pack_rows([sample], PAIR) is None
    for empty in ([None, None], {}, {"x": None}):
        assert pack_rows([empty], OPTIONAL) is None


@pytest.mark.parametrize("value", [True, False, "1", [1], 10**400, -1e301, inf])
def test_one_sample_with_an_invalid_value_is_left_to_the_parser(value: Any) -> None:
    """Whichever of its values it is."""
    for sample in ([value, 1], [1, value], {"x": value}, {"x": 1, "y": value}):
        assert pack_rows([sample], OPTIONAL) is None
