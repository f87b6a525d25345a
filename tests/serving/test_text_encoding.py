"""The columns of encoded texts behind the numbers of samples."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from chalicelib.errors import BodyTooLarge, TooManySamples
from chalicelib.inputs import text_encoding
from chalicelib.inputs.samples import Samples
from chalicelib.inputs.text_encoding import check_cost, encode_texts, make_encoders

COLOURS = {"feature": 1, "categories": ["red", "blue", "ré"]}
TERMS = {
    "feature": 3,
    "terms": ["good", "film"],
    "binary": False,
    "analyzer": "word",
    "lowercase": True,
    "strip_accents": None,
    "token_pattern": r"\w+",
    "ngram_range": [1, 1],
    "stop_words": [],
}
TEXT_COLUMNS = {1: 0, 3: 1}  # of the features, among the texts
ROWS: list[tuple[list[float], list[str | None], list[float]]] = [
    ([1.5, 2.0], ["red", "Good good film"], [1.5, 2.0, 0, 2, 1]),
    ([2.5, 3.0], ["blue", None], [2.5, 3.0, 1, 0, 0]),
    ([3.5, 4.0], ["ré", ""], [3.5, 4.0, 2, 0, 0]),
    ([4.5, 5.0], ["green", "another"], [4.5, 5.0, 3, 0, 0]),
    ([5.5, 6.0], [None, "film"], [5.5, 6.0, 4, 0, 1]),
]


def samples_of(rows: list[Any]) -> Samples:
    """Return samples of two numbers and two texts."""
    numbers = array("d", [number for numbers, *_ in rows for number in numbers])
    return Samples(len(rows), numbers, [text for _, texts, *_ in rows for text in texts])


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS[::-1]])
def test_texts_become_columns_behind_the_numbers(rows: list[Any]) -> None:
    """The index of a category, one more than the last for another text, two for none; counts."""
    matrix = encode_texts(samples_of(rows), TEXT_COLUMNS, make_encoders([COLOURS, TERMS]))
    assert matrix.tolist() == [value for *_, values in rows for value in values]


def test_each_term_counts_once_if_only_whether_it_is_there_does() -> None:
    """However often the text has it."""
    encoders = make_encoders([TERMS | {"binary": True}])
    matrix = encode_texts(samples_of(ROWS[:1]), TEXT_COLUMNS, encoders)
    assert matrix.tolist() == [1.5, 2.0, 1, 1]


@pytest.mark.parametrize(("limit", "maximum"), [(15, None), (14, 4), (6, 2), (2, 1)])
def test_encoded_values_are_limited(
    monkeypatch: pytest.MonkeyPatch, limit: int, maximum: int | None
) -> None:
    """Three for each sample here; the error says how many samples are allowed."""
    monkeypatch.setattr(text_encoding, "MAX_ENCODED_VALUES", limit)
    encoders = make_encoders([COLOURS, TERMS])
    if maximum is None:
        check_cost(samples_of(ROWS), TEXT_COLUMNS, encoders)
        return
    with pytest.raises(TooManySamples) as caught:
        check_cost(samples_of(ROWS), TEXT_COLUMNS, encoders)
    assert caught.value.limit == maximum
    check_cost(samples_of(ROWS[:maximum]), TEXT_COLUMNS, encoders)  # one is always allowed


def test_terms_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A category costs as much as a term; the error says how many characters are allowed."""
    encoders = make_encoders([COLOURS])
    monkeypatch.setattr(text_encoding, "MAX_TERMS", 5)
    check_cost(samples_of(ROWS), TEXT_COLUMNS, encoders)
    monkeypatch.setattr(text_encoding, "MAX_TERMS", 4)
    characters = sum(len(text) for _, texts, _ in ROWS for text in texts if text)
    with pytest.raises(BodyTooLarge, match=f"at most {characters * 4 // 5} characters"):
        check_cost(samples_of(ROWS), TEXT_COLUMNS, encoders)
