"""Names in error messages: how long they are, and from how many others one is suggested."""

from __future__ import annotations

import pytest

from chalicelib.inputs.suggestions import did_you_mean, shorten_name


@pytest.mark.parametrize(
    ("length", "expected"), [(0, ""), (79, "x" * 79), (80, "x" * 80), (81, "x" * 80 + "…")]
)
def test_a_long_name_is_shortened(length: int, expected: str) -> None:
    """To 80 characters; the last one says so."""
    assert shorten_name("x" * length) == expected


@pytest.mark.parametrize(
    ("known", "name", "match"),
    [
        (["alcohol", "ash"], "alcohl", "alcohol"),
        (["alcohol", "alcohols"], "alcohols", "alcohols"),
        (["alcohols", "alcohol"], "alcoho", "alcohol"),
        ([2.0, 4.5], "4.5", "4.5"),
        (["alcohol"], "xyz", None),
        ([], "alcohol", None),
        (["a" * 40], "a" * 40, "a" * 40),
        (["a" * 41], "a" * 41, None),
        ([f"name {index}" for index in range(100)], "name 7", "name 7"),
        ([f"name {index}" for index in range(101)], "name 7", None),
    ],
)
def test_the_closest_name_is_suggested(
    known: list[str | float], name: str, match: str | None
) -> None:
    """Not from very many names, nor for a long one: each comparison takes time."""
    assert did_you_mean(name, known) == (f"; did you mean '{match}'?" if match else "")
