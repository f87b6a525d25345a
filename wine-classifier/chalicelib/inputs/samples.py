"""Parse samples from JSON values to arrays, and name every problem."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from chalicelib.errors import TooManySamples
from chalicelib.inputs.numbers import (
    invalid_indices,
    json_type,
    number_problem,
    pack_rows,
    parse_number,
    to_floats,
)
from chalicelib.inputs.problems import Locate, Problems, member_path
from chalicelib.inputs.signature import Signature
from chalicelib.inputs.suggestions import shorten_name
from chalicelib.named_tuple import NamedTuple

NO_VALUE = "has no value: a sample needs at least one"


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
            data = parse_number(data)
        samples = [[data] + [None] * (len(signature.features) - 1)]
    else:
        problem = f"must be a number, a list or an object, not {json_type(data)}"
        problems.add(locate(None, None), problem)
    problems.raise_if_any()
    check_row_count(len(samples), max_rows)
    if signature.is_unconstrained:  # most requests are for such a model, and valid
        numbers = pack_rows(samples, signature)
        if numbers is not None:
            return Samples(len(samples), numbers, [], is_batch)
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
        texts: list[str | None] = []
        if self._signature.is_unconstrained:
            numbers = self._parse_matrix(values)
        else:
            numbers, texts = self._parse_columns(values)
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
                problem = f"is {json_type(sample)}, but the first sample is {json_type(first())}"
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
            problem = f"must be a list or an object, not {json_type(sample)}"
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
            problem = number_problem(values[index], features[column], self._signature)
            if problem is not None:
                self._problems.add(self._locate_value(row, features[column].name), problem)
        return numbers

    def _parse_columns(self, rows: list[list[Any]]) -> tuple[array[float], list[str | None]]:
        """Parse samples with features of other kinds."""
        from chalicelib.inputs.values import ColumnParser, rows_to_columns  # few models need it

        columns = rows_to_columns(rows, len(self._signature.features))
        parser = ColumnParser(self._signature, self._locate_value, self._problems)
        return parser.parse(columns, len(rows))

    def _locate_value(self, row: int | None, feature: str | None) -> str:
        return self._path(None if row is None else self._indices[row], feature)

    def _path(self, index: int | None, feature: str | None = None) -> str:
        return self._locate(index if self._is_batch else None, feature)
