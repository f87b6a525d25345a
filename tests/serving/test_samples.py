"""Samples of every kind of feature: the arrays they become, and the problems they have."""

from __future__ import annotations

from array import array
from math import isnan, nan
from typing import Any

import pytest

from chalicelib.errors import InvalidRequest, Problem
from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.samples import Samples, read_samples
from chalicelib.inputs.signature import Feature, Signature

# Text first, so that the columns of numbers are not those of the features.
SIGNATURE = Signature(
    (
        Feature("colour", "categorical", True, frozenset(["red", "blue"]), False, ("red", "blue")),
        Feature("size", "numeric", required=False),
        Feature("note", "categorical", required=False),
        Feature("doors", "integer", required=False, categories=frozenset([2.0, 4.0])),
        Feature("seats", "integer", required=True),
        Feature("used", "boolean", required=False),
        Feature("grade", "numeric", required=False, categories=frozenset([0.5, 1.0])),
    ),
    ("no", "yes"),
)
CAR = ["red", 1.5, "ok", 2, 5, True, 0.5]


def read(data: Any, signature: Signature = SIGNATURE) -> Samples:
    """Parse samples at the path ``data``."""
    return read_samples(data, signature, locate_in_rows("data"), max_rows=100)


def problems(data: Any, signature: Signature = SIGNATURE) -> list[Problem]:
    """Return the problems of samples."""
    with pytest.raises(InvalidRequest) as caught:
        read(data, signature)
    return caught.value.problems


def car(**changes: Any) -> dict[str, Any]:
    """Return a valid sample by name, with some values changed."""
    return dict(zip(SIGNATURE.names, CAR, strict=True)) | changes


def test_numbers_and_texts_are_told_apart_row_by_row() -> None:
    """Whatever their order among the features."""
    samples = read([CAR, ["blue", 2.5, None, 4, 7, False, 1.0]])
    assert samples.rows == 2
    assert samples.numbers == array("d", [1.5, 2, 5, 1, 0.5, 2.5, 4, 7, 0, 1.0])
    assert samples.texts == ["red", "ok", "blue", None]
    assert samples.is_batch


def test_a_missing_value_is_nan_among_numbers_and_none_among_texts() -> None:
    """Of each kind."""
    samples = read({"colour": "red", "seats": 5})
    assert [isnan(number) for number in samples.numbers] == [True, True, False, True, True]
    assert samples.texts == ["red", None]
    assert not samples.is_batch


def test_booleans_are_one_and_zero() -> None:
    """Also beside missing ones."""
    for values in ([True, False], [False, None, True]):
        samples = read([car(used=value) for value in values])
        expected = [nan if value is None else float(value) for value in values]
        assert list(map(repr, samples.numbers[3::5])) == list(map(repr, expected))


@pytest.mark.parametrize(
    ("name", "known", "unknown"),
    [("doors", (2, 4, 4.0), (3, -2, 0)), ("grade", (0.5, 1, 1.0), (0.75, 0))],
)
def test_numbers_may_be_categories(name: str, known: Any, unknown: Any) -> None:
    """Any other number is rejected, whole or not."""
    for value in known:
        assert value in read(car(**{name: value})).numbers
    for value in unknown:
        assert problems(car(**{name: value})) == [(f"data.{name}", "is not a known category")]


@pytest.mark.parametrize("sign", [1, -1])
def test_whole_numbers_are_exact_up_to_a_limit(sign: int) -> None:
    """Beyond 2**53 two of them may be one number of float64."""
    assert read(car(seats=sign * 2**53)).numbers[2] == sign * 2**53
    too_large = "is too large: a whole number may be up to 2**53"
    for value in (sign * (2**53 + 1), sign * 2**60):
        assert problems(car(seats=value)) == [("data.seats", too_large)]


@pytest.mark.parametrize(
    ("changes", "path", "problem"),
    [
        ({"colour": None}, ".colour", "is required"),
        ({"colour": 1}, ".colour", "must be text, not a number"),
        ({"colour": "rd"}, ".colour", "is not a known category; did you mean 'red'?"),
        ({"note": ["x"]}, ".note", "must be text, not a list"),
        ({"note": "\udc00"}, ".note", "must be text that UTF-8 can encode"),
        ({"size": "1"}, ".size", "must be a number, not text"),
        ({"size": False}, ".size", "must be a number, not a boolean"),
        ({"size": {}}, ".size", "must be a number, not an object"),
        ({"size": 1.1e300}, ".size", "is too large: a number may be up to 1e300"),
        ({"size": -(10**400)}, ".size", "is too large: a number may be up to 1e300"),
        ({"seats": None}, ".seats", "is required"),
        ({"seats": 1.5}, ".seats", "must be a whole number"),
        ({"used": 1}, ".used", "must be true or false, not a number"),
        ({"used": "true"}, ".used", "must be true or false, not text"),
        ({"sise": 1}, ".sise", "is not a feature of this model; did you mean 'size'?"),
    ],
)
def test_each_value_that_does_not_fit_is_named(
    changes: dict[str, Any], path: str, problem: str
) -> None:
    """In one sample, and at its index in a batch."""
    assert problems(car(**changes)) == [(f"data{path}", problem)]
    assert problems([car(), car(**changes)]) == [(f"data[1]{path}", problem)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (None, [("data", "must be a number, a list or an object, not null")]),
        (True, [("data", "must be a number, a list or an object, not a boolean")]),
        ([], [("data", "has no samples")]),
        ([1, 2], [("data", "has 2 values; the model takes 7")]),
        ([CAR, [1]], [("data[1]", "has 1 values; the model takes 7")]),
        ([CAR, 1], [("data[1]", "must be a list or an object, not a number")]),
        ([car(), CAR], [("data[1]", "is a list, but the first sample is an object")]),
        ([CAR, car(), CAR], [("data[1]", "is an object, but the first sample is a list")]),
    ],
)
def test_data_of_another_form_is_rejected(data: Any, expected: list[tuple[str, str]]) -> None:
    """With the path of what is wrong."""
    assert problems(data) == expected


def test_problems_are_listed_by_feature_and_then_by_sample() -> None:
    """Unknown names first, then numbers, then texts."""
    bad = car(colour="green", size="x", doors=3, seats=1.5, used=0, grade=2, colour_=1)
    assert [problem.at for problem in problems([bad, car(), car(size=True, note=1)])] == [
        *("data[0].colour_", "data[0].size", "data[2].size", "data[0].doors", "data[0].seats"),
        *("data[0].used", "data[0].grade", "data[0].colour", "data[2].note"),
    ]


def test_a_sample_without_any_value_is_rejected() -> None:
    """Unless a feature is required, whose problem is then enough; unknown names are values."""
    optional = Signature(tuple(f._replace(required=False) for f in SIGNATURE.features), ("a", "b"))
    no_value = "has no value: a sample needs at least one"
    for empty in ([None] * 7, {}, {"size": None}):
        assert problems(empty, optional) == [("data", no_value)]
        assert problems([CAR if isinstance(empty, list) else car(), empty], optional) == [
            ("data[1]", no_value)
        ]
    assert [problem.at for problem in problems({"other": 1}, optional)] == ["data.other"]
    assert read({"used": False}, optional).rows == 1


@pytest.mark.parametrize("kind", ["numeric", "integer", "categorical"])
def test_the_one_feature_of_a_model_has_a_value(kind: Any) -> None:
    """By position as by name."""
    one = Signature((Feature("x", kind, required=False),), ("no", "yes"))
    for data, path in (
        ([[None]], "data[0]"),
        ([None], "data"),
        ([{"x": None}], "data[0]"),
        ({}, "data"),
    ):
        assert problems(data, one) == [(path, "has no value: a sample needs at least one")]


def test_one_number_is_the_first_feature_alone() -> None:
    """As a number, or as a text that holds one."""
    first = Signature((Feature("size", "numeric", False), SIGNATURE.features[3]), ("a", "b"))
    for value in (0.5, ".5", " +5e-1 "):
        samples = read(value, first)
        assert samples.numbers[0] == 0.5
        assert isnan(samples.numbers[1])
        assert not samples.is_batch
    assert problems("0x1", first) == [("data.size", "must be a number, not text")]
    text = Signature((Feature("note", "categorical", False), *first.features), ("a", "b"))
    assert read("0.5", text).texts == ["0.5"]


def test_a_part_of_samples_has_the_values_of_its_rows() -> None:
    """The last part may be smaller."""
    samples = read([car(seats=seats, note=str(seats)) for seats in range(5)])
    parts = [samples.part(start, 2) for start in (0, 2, 4)]
    assert [part.rows for part in parts] == [2, 2, 1]
    assert [part.numbers[2::5].tolist() for part in parts] == [[0, 1], [2, 3], [4]]
    assert [part.texts[1::2] for part in parts] == [["0", "1"], ["2", "3"], ["4"]]


def test_what_a_manifest_leaves_out_of_a_signature_is_not_so() -> None:
    """A feature is open to other values, and told; samples are not a sequence of texts."""
    feature = {"name": "size", "kind": "numeric", "required": True}
    document = {"features": [feature], "classes": [0, 1], "largest_number": 1e9}
    document |= {"probabilities": True, "nan_probabilities": False}
    signature = Signature.from_document(document)
    assert signature.features == (Feature("size", "numeric", required=True),)
    assert [signature.is_text_sequence, signature.allows_nan] == [False, False]
    assert [SIGNATURE.is_text_sequence, SIGNATURE.has_probabilities] == [False, True]
    assert signature.unused_columns == ()
    assert (signature.classes, signature.largest_number) == (("0", "1"), 1e9)
