"""CSV: which rows are numbers, what a header is, and who accepts it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.errors import InvalidRequest
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.protocols.invocations.csv_format import accepts_csv, is_header, read_csv

PAIR = Signature(
    (Feature("x", "numeric", required=False), Feature("y", "integer", required=False)), ("0", "1")
)
MIXED = Signature(
    (
        Feature("n", "numeric", required=False),
        Feature("b", "boolean", required=False),
        Feature("t", "categorical", required=False),
    ),
    ("0", "1"),
)


@pytest.mark.parametrize("header", ["", "x,y\n", " x , y \n", "x,y\r\n", "y,x\n"])
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("1,2\n", [[1.0, 2.0]]),
        ("1,2", [[1.0, 2.0]]),
        (" 1.5 ,-2e3\n\n,4\n", [[1.5, -2000.0], [None, 4.0]]),
        ('"1",2\n3,"4"\n', [[1.0, 2.0], [3.0, 4.0]]),
        # What Python parses as a number, and JSON does not.
        ("٣,2\n", [["٣", 2.0]]),
        ("1_0,2\n3,4\n", [["1_0", 2.0], [3.0, 4.0]]),
        ("nan,2\n", [["nan", 2.0]]),
        ("1,2\ninf,4\n", [[1.0, 2.0], ["inf", 4.0]]),
        ("1,2\n1e,4\n", [[1.0, 2.0], ["1e", 4.0]]),
        ("1,2\n.,+\n", [[1.0, 2.0], [".", "+"]]),
    ],
)
def test_numbers_are_those_of_json(header: str, rows: str, expected: list[Any]) -> None:
    """Below a header as without one; other text is left for the problem that names it."""
    is_swapped = header.startswith("y")
    expected = [row[::-1] for row in expected] if is_swapped else expected
    assert read_csv(header + rows, PAIR, max_rows=5) == expected


def test_each_kind_has_its_values() -> None:
    """An empty cell is missing; what is no boolean or number stays text."""
    text = "n,b,t\n1,true,a\n2.5, False ,1\n,,\nx,1,true\n"
    assert read_csv(text, MIXED, max_rows=5) == [
        [1.0, True, "a"],
        [2.5, False, "1"],
        [None, None, None],
        ["x", "1", "true"],
    ]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["x", "y"], True),
        (["y"], True),
        (["x", "z"], True),
        (["x", "1"], False),
        (["1", "2"], False),
        (["z", "w"], False),
        ([], False),
    ],
)
def test_a_header_has_names_and_no_numbers(cells: list[str], expected: bool) -> None:
    """Some of them may be unknown, if one is known."""
    assert is_header(cells, PAIR) is expected


@pytest.mark.parametrize("row", ["1", "1,2,3"])
def test_a_row_below_a_header_has_a_value_for_each_name(row: str) -> None:
    """Neither fewer nor more."""
    with pytest.raises(InvalidRequest) as caught:
        read_csv(f"x,y\n1,2\n{row}\n", PAIR, max_rows=5)
    [problem] = caught.value.problems
    assert problem.at == "rows[1]"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/csv", True),
        ("TEXT/CSV; charset=utf-8", True),
        ("text/*", True),
        ("application/json", False),
        ("*/*", False),
        ("application/*", False),
        ("image/png", False),
        ("", False),
        ("application/json, text/csv", False),
        ("text/csv, application/json", True),
        ("application/json;q=0.5, text/csv", True),
        ("application/json, text/csv;q=0.9", False),
        ("application/json;q=1, text/csv", False),
        ("text/csv, application/json;q=1", True),
        ("application/json;q=0.5, text/csv;q=0.55", True),
        ("application/json;q=0.25, text/csv;q=0.125", False),
        ("text/csv;q=0", False),
        ("text/csv;q=2", False),
        ("text/csv;q=x", False),
        ("image/png, text/csv;q=0.1", True),
        ("image/png;q=0.9, application/json;q=0.1, text/csv;q=0.2", True),
    ],
)
def test_csv_is_written_for_who_prefers_it(accept: str, expected: bool) -> None:
    """By the quality values of the choices; the first of equal ones counts."""
    assert accepts_csv({"accept": accept}) is expected
    assert not accepts_csv({})
