"""From samples as they were sent to the arrays that a model takes, with every problem named."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from itertools import chain
from math import isfinite, nan, sumprod
from typing import Any, NamedTuple

from chalicelib.errors import BodyTooLarge
from chalicelib.inputs.problems import Problems
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.inputs.suggestions import did_you_mean, shortened

# A number as text: as in JSON, but for a leading or trailing point and spaces around it.
NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)

# Half of a character: JSON's escapes can write it, but no text can hold it.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# Of float64's 1.8e308, what leaves a model room to compute with it.
LARGEST_NUMBER = 1e300
TOO_LARGE = "is too large: a number may be up to 1e300"
UNKNOWN_CATEGORY = "is no category that the model knows"

_BOOLEANS = {True: 1.0, False: 0.0}
_NUMERIC_KINDS = frozenset({int, float, type(None)})
_KIND_NAMES = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


class Samples(NamedTuple):
    """Samples that a model can take.

    Parameters
    ----------
    rows : int
        How many.
    numbers : array of float64
        Of shape (samples, features that are not text), row by row; NaN where a value is missing;
        1 is true.
    texts : list of str or None
        Of shape (samples, features that are text), row by row; None where a value is missing.
    is_batch : bool
        Whether they were sent as a batch, and so are answered as one.
    """

    rows: int
    numbers: array[float]
    texts: list[str | None]
    is_batch: bool = True

    def texts_or(self, missing: str) -> list[str]:
        """Give the texts with another one in the place of those that are missing.

        Parameters
        ----------
        missing : str
            What stands for a missing text.

        Returns
        -------
        list of str
            Of the shape of `texts`.
        """
        return [missing if text is None else text for text in self.texts]


def read_samples(data: object, signature: Signature, *, max_rows: int) -> Samples:
    """Turn samples as they were sent into the arrays that a model takes.

    Parameters
    ----------
    data : object
        What JSON holds under ``data``: a number or a string that holds one (the first feature
        alone), an object (one sample by name), a list of scalars (one sample by position), or a
        list of lists or of objects (a batch).
    signature : Signature
        What the model takes.
    max_rows : int
        The most samples that a batch may hold.

    Returns
    -------
    Samples

    Raises
    ------
    InvalidRequest
        If the model does not take these samples; with all the problems at once.
    BodyTooLarge
        If there are more than `max_rows` of them.
    """
    problems = Problems()
    is_batch = False
    sent: list[Any] = []
    if isinstance(data, list):
        is_batch = any(isinstance(item, (list, dict)) for item in data)
        sent = data if is_batch else [data]
        if not data:
            problems.add("data", "holds no samples")
    elif isinstance(data, dict):
        sent = [data]
    elif isinstance(data, (int, float, str)) and not isinstance(data, bool):
        if signature.features[0].kind != "categorical":
            data = _number_in(data)
        sent = [[data] + [None] * (len(signature.features) - 1)]
    else:
        problems.add("data", f"must be a number, a list or an object, not {_kind(data)}")
    problems.raise_if_any()
    if len(sent) > max_rows:
        raise BodyTooLarge("A batch", max_rows, "samples")
    return _Reader(signature, sent, is_batch=is_batch).read()


class _Reader:
    """Reads the samples of one request: fast where they are right, with care where not."""

    def __init__(self, signature: Signature, sent: list[Any], *, is_batch: bool) -> None:
        self._signature = signature
        self._sent = sent
        self._is_batch = is_batch
        self._problems = Problems()

    def read(self) -> Samples:
        rows = [self._values(index, sample) for index, sample in enumerate(self._sent)]
        # Where in the request each row that has a value for each feature came from.
        self._indices = [index for index, row in enumerate(rows) if row is not None]
        values = [row for row in rows if row is not None]
        if self._signature.is_unconstrained:
            numbers, texts = self._matrix(values), []
        else:
            numbers, texts = self._numbers(values), self._texts(values)
        self._problems.raise_if_any()
        return Samples(len(values), numbers, texts, self._is_batch)

    def _values(self, index: int, sample: object) -> list[Any] | None:
        """Give a sample's values in the model's order, or None if it has no such order."""
        names = self._signature.names
        if isinstance(sample, dict):
            if not sample.keys() <= self._signature.known_names:
                self._refuse_unknown_names(index, sample)
            return [sample.get(name) for name in names]
        if isinstance(sample, list):
            if len(sample) == len(names):
                return sample
            problem = f"has {len(sample)} values; the model takes {len(names)}"
        else:
            problem = f"must be a list or an object as others are, not {_kind(sample)}"
        self._problems.add(self._at(index), problem)
        return None

    def _refuse_unknown_names(self, index: int, sample: dict[str, Any]) -> None:
        for name in sample:
            if name not in self._signature.known_names:
                self._problems.add(
                    f"{self._at(index)}.{shortened(name)}",
                    f"is not a feature of this model{self._hint(name, self._signature.names)}",
                )

    def _matrix(self, values: list[list[Any]]) -> array[float]:
        """Read samples that are numbers and nothing else."""
        features = self._signature.features
        sent = list(chain.from_iterable(values))
        numbers = _as_floats(sent)
        for place in _wrong(numbers):
            row, column = divmod(place, len(features))
            self._check_number(row, features[column], sent[place])
        return numbers

    def _numbers(self, values: list[list[Any]]) -> array[float]:
        """Read the features that are not text, column by column."""
        positions = self._signature.number_indices
        numbers = array("d", bytes(8 * len(values) * len(positions)))
        for column, position in enumerate(positions):
            feature = self._signature.features[position]
            sent = [row[position] for row in values]
            if feature.kind == "boolean":
                read = array("d", [_BOOLEANS[v] if isinstance(v, bool) else nan for v in sent])
            else:
                read = _as_floats(sent)
            for row in _wrong(read):
                self._check_number(row, feature, sent[row])
            self._check_choice(feature, read)
            numbers[column :: len(positions)] = read
        return numbers

    def _texts(self, values: list[list[Any]]) -> list[str | None]:
        """Read the features that are text, column by column."""
        positions = self._signature.text_indices
        texts: list[str | None] = [None] * (len(values) * len(positions))
        for column, position in enumerate(positions):
            feature = self._signature.features[position]
            read = [self._text(row, feature, sent[position]) for row, sent in enumerate(values)]
            texts[column :: len(positions)] = read
        return texts

    def _check_number(self, row: int, feature: Feature, value: object) -> None:
        """Note what is wrong with a value that did not become a finite number, if anything is."""
        if value is None:
            if feature.required:
                self._refuse(row, feature, "is required")
        elif feature.kind == "boolean":
            self._refuse(row, feature, f"must be true or false, not {_kind(value)}")
        elif _kind(value) == "a number":
            self._refuse(row, feature, TOO_LARGE)
        else:
            self._refuse(row, feature, f"must be a number, not {_kind(value)}")

    def _check_choice(self, feature: Feature, numbers: array[float]) -> None:
        if feature.kind == "integer":
            for row, number in enumerate(numbers):
                if isfinite(number) and not number.is_integer():
                    self._refuse(row, feature, "must be a whole number")
        if feature.categories is not None:
            for row, number in enumerate(numbers):
                if isfinite(number) and number not in feature.categories:
                    self._refuse(row, feature, UNKNOWN_CATEGORY)

    def _text(self, row: int, feature: Feature, value: object) -> str | None:
        if value is None:
            if feature.required:
                self._refuse(row, feature, "is required")
            return None
        if not isinstance(value, str):
            self._refuse(row, feature, f"must be text, not {_kind(value)}")
            return None
        if not value.isascii() and _LONE_SURROGATE.search(value):
            self._refuse(row, feature, "must be text that UTF-8 can hold")
            return None
        if "\0" in value:  # where text ends for ONNX Runtime's C library
            self._refuse(row, feature, "must be text without NUL characters")
            return None
        if feature.categories is not None and value not in feature.categories:
            hint = self._hint(value, [str(known) for known in feature.categories])
            self._refuse(row, feature, f"{UNKNOWN_CATEGORY}{hint}")
        return value

    def _refuse(self, row: int, feature: Feature, problem: str) -> None:
        self._problems.add(f"{self._at(self._indices[row])}.{feature.name}", problem)

    def _hint(self, name: str, known: Sequence[str]) -> str:
        """Suggest a known name, as long as the suggestion will be listed."""
        return "" if self._problems.list_is_full() else did_you_mean(name, known)

    def _at(self, index: int) -> str:
        return f"data[{index}]" if self._is_batch else "data"


def _wrong(numbers: array[float]) -> list[int]:
    """Find what is missing, no number or too large."""
    if sumprod(numbers, numbers) <= LARGEST_NUMBER:  # so each is at most its square root
        return []
    return [place for place, n in enumerate(numbers) if not abs(n) <= LARGEST_NUMBER]


def _as_floats(values: list[Any]) -> array[float]:
    """Make numbers of values; what is no finite number becomes NaN or infinity."""
    kinds = set(map(type, values))
    if kinds <= _NUMERIC_KINDS:
        present = [nan if v is None else v for v in values] if type(None) in kinds else values
        try:
            return array("d", present)
        except OverflowError:  # an integer beyond the range of float64
            pass
    return array("d", map(_as_float, values))


def _as_float(value: object) -> float:
    if type(value) not in (int, float):
        return nan
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return float("inf")


def _number_in(value: float | str) -> float | str:
    """Read a number that was sent as text, as in ``{"data": ".10"}``; leave other text as it is."""
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        return value
    return float(value)


def _kind(value: object) -> str:
    return _KIND_NAMES.get(type(value), "a value of another kind")
