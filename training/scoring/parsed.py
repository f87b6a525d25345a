"""Rows of a table, column by column, and those that serving's code has to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.errors import Problem

# Returns the values of some rows in the form that `chalicelib.inputs.samples.read_samples` takes.
ReadValues = Callable[[Sequence[int]], list[Any]]
Strings = Any  # an Arrow array of strings


class Rejected(NamedTuple):
    """A row that is not scored, and why.

    Parameters
    ----------
    row : int
        Its number in the table, from 0.
    line : int or None
        The line that it begins in, from 1; None in a file without lines.
    problems : sequence of Problem
    """

    row: int
    line: int | None
    problems: Sequence[Problem]


class Parsed(NamedTuple):
    """Rows whose values are read, but not checked.

    Parameters
    ----------
    rows : numpy.ndarray of int64
        The numbers of the rows, from 0 within the block.
    numbers : list of pyarrow.Array or None
        A column of float64 for each feature that is not text; None if the table has none.
    texts : list of pyarrow.Array or None
        A column of strings for each feature that is text.
    doubtful : numpy.ndarray of bool
        Which rows have a value that PyArrow could not read: serving's code reads these rows.
    values : ReadValues
    kept : pyarrow.Table
        The columns that are passed through.
    rejected : dict of int to list of Problem
        Rows, by their numbers, that are no rows of a table; not among `rows`.
    """

    rows: npt.NDArray[np.int64]
    numbers: list[Any]
    texts: list[Any]
    doubtful: npt.NDArray[np.bool_]
    values: ReadValues
    kept: Any
    rejected: dict[int, list[Problem]]


def integers(values: npt.NDArray[np.int64]) -> Any:
    """Return an Arrow array of integers; ``pa.array`` would import pandas, for a second."""
    buffer = pa.py_buffer(np.ascontiguousarray(values, np.int64))
    return pa.Array.from_buffers(pa.int64(), len(values), [None, buffer])


def strings(texts: Sequence[str]) -> Any:
    """Return an Arrow array of strings, as `integers` does."""
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers)


def floats(column: Any) -> npt.NDArray[np.float64]:
    """Return the numbers of an Arrow array of float64, NaN for null; as `integers` does."""
    column = pc.fill_null(column, np.nan) if column.null_count else column
    return np.frombuffer(column.buffers()[1], np.float64)[column.offset :][: len(column)]


def booleans(column: Any) -> npt.NDArray[np.bool_]:
    """Return the values of an Arrow array of booleans without nulls, as `integers` does."""
    if not len(column):
        return np.zeros(0, np.bool_)
    numbers = pc.cast(column, pa.uint8())
    return np.frombuffer(numbers.buffers()[1], np.bool_)[numbers.offset :][: len(numbers)]


def to_array(column: Any) -> Any:
    """Return the one chunk of a column."""
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column
