"""What a model takes: turns samples as they were sent into a matrix and names every problem."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chalicelib.errors import BodyTooLarge, Problems

if TYPE_CHECKING:
    import numpy.typing as npt

# A number as text: as in JSON, but for a leading or trailing point and spaces around it.
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)

# How much of a name that was sent is repeated in an answer.
MAX_NAME_CHARACTERS = 80

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


class Feature(NamedTuple):
    """One numeric feature of a sample.

    Parameters
    ----------
    name : str
        Its name.
    required : bool
        Whether the estimator needs a value; if not, it may be absent or null.
    """

    name: str
    required: bool


class Signature(NamedTuple):
    """What a model takes and what it can answer.

    Parameters
    ----------
    features : tuple of Feature
        In the order that the model takes them.
    classes : tuple of str
        In the order of the model's probabilities.
    """

    features: tuple[Feature, ...]
    classes: tuple[str, ...]


class Samples(NamedTuple):
    """Samples that a model can take.

    Parameters
    ----------
    matrix : numpy.ndarray of float64
        Shape (samples, features), NaN where a value is missing.
    is_batch : bool
        Whether they were sent as a batch, and so are answered as one.
    """

    matrix: npt.NDArray[np.float64]
    is_batch: bool


def read_samples(data: object, signature: Signature, *, max_rows: int) -> Samples:
    """Turn samples as they were sent into a matrix.

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
        sent = [[_number_in(data)] + [None] * (len(signature.features) - 1)]
    else:
        problems.add("data", f"must be a number, a list or an object, not {_kind(data)}")
    problems.raise_if_any()
    if len(sent) > max_rows:
        raise BodyTooLarge("A batch", max_rows, "samples")
    reader = _Reader(signature, sent, is_batch=is_batch)
    return Samples(reader.matrix(), is_batch)


class _Reader:
    """Reads the samples of one request: fast where they are right, with care where not."""

    def __init__(self, signature: Signature, sent: list[Any], *, is_batch: bool) -> None:
        self._features = signature.features
        self._names = [feature.name for feature in signature.features]
        self._known = frozenset(self._names)
        self._sent = sent
        self._is_batch = is_batch
        self._problems = Problems()

    def matrix(self) -> npt.NDArray[np.float64]:
        rows = [self._values(index, sample) for index, sample in enumerate(self._sent)]
        readable = [index for index, row in enumerate(rows) if row is not None]
        values = [row for row in rows if row is not None]
        matrix = _as_floats(values)
        for row, column in np.argwhere(~np.isfinite(matrix)).tolist():
            self._check_value(readable[row], column, values[row][column])
        self._problems.raise_if_any()
        return matrix

    def _values(self, index: int, sample: object) -> list[Any] | None:
        """Give a sample's values in the model's order, or None if it has no such order."""
        if isinstance(sample, dict):
            if not sample.keys() <= self._known:
                self._refuse_unknown_names(index, sample)
            return [sample.get(name) for name in self._names]
        if isinstance(sample, list):
            if len(sample) == len(self._names):
                return sample
            self._problems.add(
                self._at(index), f"has {len(sample)} values; the model takes {len(self._names)}"
            )
            return None
        self._problems.add(
            self._at(index), f"must be a list or an object as others are, not {_kind(sample)}"
        )
        return None

    def _refuse_unknown_names(self, index: int, sample: dict[str, Any]) -> None:
        for name in sample:
            if name not in self._known:
                full = self._problems.list_is_full()
                suggestion = "" if full else did_you_mean(name, self._names)
                self._problems.add(
                    f"{self._at(index)}.{shortened(name)}",
                    f"is not a feature of this model{suggestion}",
                )

    def _check_value(self, index: int, column: int, value: object) -> None:
        """Note what is wrong with a value that did not become a finite number, if anything is."""
        feature = self._features[column]
        if value is None:
            if feature.required:
                self._problems.add(f"{self._at(index)}.{feature.name}", "is required")
            return
        if _kind(value) == "a number":
            problem = "is too large for a 64-bit float"
        else:
            problem = f"must be a number, not {_kind(value)}"
        self._problems.add(f"{self._at(index)}.{feature.name}", problem)

    def _at(self, index: int) -> str:
        return f"data[{index}]" if self._is_batch else "data"


def _as_floats(rows: list[list[Any]]) -> npt.NDArray[np.float64]:
    """Make a matrix of rows of one length; what is no finite number becomes NaN or infinity."""
    if set(map(type, chain.from_iterable(rows))) <= _NUMERIC_KINDS:
        try:
            return np.array(rows, dtype=np.float64)
        except OverflowError:  # an integer beyond the range of float64
            pass
    return np.array([[_as_float(value) for value in row] for row in rows], dtype=np.float64)


def _as_float(value: object) -> float:
    if type(value) not in (int, float):
        return float("nan")
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return float("inf")


def _number_in(value: float | str) -> float | str:
    """Read a number that was sent as text, as in ``{"data": ".10"}``; leave other text as it is."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return value
    return float(value)


def _kind(value: object) -> str:
    return _KIND_NAMES.get(type(value), "a value of another kind")


def shortened(name: str) -> str:
    """Cut a name that was sent to a length that may be repeated in an answer.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        At most `MAX_NAME_CHARACTERS` of it.
    """
    return name if len(name) <= MAX_NAME_CHARACTERS else f"{name[:MAX_NAME_CHARACTERS]}…"


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Suggest the known name that a misspelt one is near to.

    Parameters
    ----------
    name : str
        A name that is not known.
    known : sequence of str
        The names that are.

    Returns
    -------
    str
        ``"; did you mean '...'?"``, or nothing if no known name is near.
    """
    from difflib import get_close_matches  # only wrong requests should pay for its import

    near = get_close_matches(name[:MAX_NAME_CHARACTERS], known, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""
