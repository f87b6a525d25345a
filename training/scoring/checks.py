"""Check the values of rows as a request's are checked, all rows of a column at once.

What this finds doubtful is read again by `chalicelib.inputs.samples.read_samples`, which alone
decides, and whose words the problems are.
"""

from __future__ import annotations

from array import array
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.errors import InvalidRequest, Problem
from chalicelib.inputs.numbers import LARGEST_INTEGER
from chalicelib.inputs.samples import Samples, read_samples
from chalicelib.inputs.signature import Signature
from training.scoring.parsed import Parsed, booleans, floats, integers, strings


class Checked(NamedTuple):
    """Rows that fit the signature, and why the others do not.

    Parameters
    ----------
    rows : numpy.ndarray of int64
        Their numbers, from 0 within the block.
    positions : numpy.ndarray of int64 or None
        Their indices in ``Parsed.rows``; None for all.
    numbers : numpy.ndarray of float64
        Shape (rows, features that are not text); NaN where missing.
    texts : list of pyarrow.Array
        A column for each feature that is text.
    rejected : dict of int to list of Problem
        By the numbers of the rows.
    """

    rows: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64] | None
    numbers: npt.NDArray[np.float64]
    texts: list[Any]
    rejected: dict[int, list[Problem]]


class Checker:
    """Checks rows against a signature."""

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._number_features = [signature.features[i] for i in signature.number_indices]
        self._text_features = [signature.features[i] for i in signature.text_indices]

    def check(self, parsed: Parsed) -> Checked:
        """Return the rows that fit."""
        count = len(parsed.rows)
        numbers = np.empty((count, len(parsed.numbers)))
        for position, column in enumerate(parsed.numbers):
            numbers[:, position] = np.nan if column is None else floats(column)
        texts = [pa.nulls(count, pa.string()) if t is None else t for t in parsed.texts]
        doubtful = parsed.doubtful | self._find_doubtful(parsed, numbers, texts)
        rejected = dict(parsed.rejected)
        if not doubtful.any():
            return Checked(parsed.rows, None, numbers, texts, rejected)
        is_kept = np.ones(count, np.bool_)
        chosen = np.flatnonzero(doubtful)
        samples, problems = read_rows(parsed.values(chosen.tolist()), self._signature)
        accepted = [index for index, problem in enumerate(problems) if not problem]
        if accepted:
            numbers[chosen[accepted]] = samples_matrix(samples)
            texts = _replace_texts(texts, chosen[accepted], samples)
        for index, row_problems in zip(chosen.tolist(), problems, strict=True):
            if row_problems:
                is_kept[index] = False
                rejected[int(parsed.rows[index])] = row_problems
        if is_kept.all():
            return Checked(parsed.rows, None, numbers, texts, rejected)
        positions = np.flatnonzero(is_kept)
        texts = [text.take(integers(positions)) for text in texts]
        return Checked(parsed.rows[positions], positions, numbers[positions], texts, rejected)

    def _find_doubtful(
        self, parsed: Parsed, numbers: npt.NDArray[np.float64], texts: list[Any]
    ) -> npt.NDArray[np.bool_]:
        doubtful = np.zeros(len(numbers), np.bool_)
        largest = self._signature.largest_number
        # Whether there is neither NaN, which is missing, nor a number that is too large.
        is_plain = not numbers.size or bool(-largest <= numbers.min() <= numbers.max() <= largest)
        for position, feature in enumerate(self._number_features):
            values = numbers[:, position]
            if not is_plain:
                is_wrong = ~(np.abs(values) <= largest)
                column = parsed.numbers[position]
                if not feature.required:
                    is_wrong &= _is_valid(column) if column is not None else False
                doubtful |= is_wrong
            if feature.kind == "integer":
                doubtful |= (values != np.floor(values)) & ~np.isnan(values)
                doubtful |= np.abs(values) >= LARGEST_INTEGER
            if feature.categories is not None:
                known = np.array(sorted(map(float, feature.categories)))
                doubtful |= ~np.isin(values, known) & ~np.isnan(values)
        for text, feature in zip(texts, self._text_features, strict=True):
            if feature.required:
                doubtful |= ~_is_valid(text)
            if feature.categories is not None:
                known_texts = strings(sorted(map(str, feature.categories)))
                is_known = booleans(pc.is_in(text, known_texts))
                doubtful |= ~is_known & _is_valid(text)
        if not self._signature.has_required:
            has_value = ~np.isnan(numbers).all(axis=1)
            for text in texts:
                has_value |= _is_valid(text)
            doubtful |= ~has_value
        return doubtful


def read_rows(values: list[Any], signature: Signature) -> tuple[Samples, list[list[Problem]]]:
    """Parse rows as a request's samples.

    Return the samples without problems, and the problems of each row.
    """
    try:
        return _read_samples(values, signature), [[] for _ in values]
    except InvalidRequest:
        pass
    problems: list[list[Problem]] = []
    for value in values:
        try:
            _read_samples([value], signature)
        except InvalidRequest as error:
            problems.append(error.problems)
        else:
            problems.append([])
    good = [value for value, problem in zip(values, problems, strict=True) if not problem]
    return _read_samples(good, signature), problems


def samples_matrix(samples: Samples) -> npt.NDArray[np.float64]:
    """Return the numbers of one sample or more, shape (samples, features that are not text)."""
    numbers = np.frombuffer(samples.numbers, np.float64) if samples.numbers else np.empty(0)
    return numbers.reshape(samples.rows, -1)


def _read_samples(values: list[Any], signature: Signature) -> Samples:
    if not values:
        return Samples(0, array("d"), [])
    return read_samples(values, signature, _locate, max_rows=len(values))


def _replace_texts(texts: list[Any], rows: Any, samples: Samples) -> list[Any]:
    """Replace the texts of rows that serving's code read."""
    replaced = []
    for position, text in enumerate(texts):
        new = samples.texts[position :: len(texts)]
        if text.take(pa.array(rows)).to_pylist() != new:
            values = text.to_pylist()
            for row, value in zip(rows.tolist(), new, strict=True):
                values[row] = value
            text = pa.array(values, pa.string())
        replaced.append(text)
    return replaced


def _locate(_row: int | None, feature: str | None) -> str:
    return feature or ""


def _is_valid(column: Any) -> npt.NDArray[np.bool_]:
    if not column.null_count:
        return np.ones(len(column), np.bool_)
    return booleans(pc.is_valid(column))
