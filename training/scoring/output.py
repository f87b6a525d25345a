"""Scored rows as bytes of the output's format.

The bytes of each block stand alone: text, a member of a gzip file, or, for Parquet, a stream of
Arrow's that `write_parquet` reads at the end. So a run that was killed goes on after the last one.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from training.scoring.columns import PREDICTION, ROW
from training.scoring.files import Format
from training.scoring.parsed import Rejected, integers, strings

REJECTED_COLUMNS = ("row", "line", "at", "problem")
_NEEDS_QUOTES = '[",\r\n]'
_GZIP_LEVEL = 6


class Scored(NamedTuple):
    """The scored rows of a block.

    Parameters
    ----------
    rows : numpy.ndarray of int64
        Their numbers in the table, from 0.
    kept : pyarrow.Table
    labels : numpy.ndarray of int64
        The index of each row's class.
    probabilities : numpy.ndarray of float32 or float64, or None
        Shape (rows, classes).
    """

    rows: npt.NDArray[np.int64]
    kept: Any
    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[Any] | None


class Encoder:
    """Encodes scored rows.

    Parameters
    ----------
    output : Format
    classes : sequence of str
    probabilities : bool
        Whether those of the classes are written.
    kept : sequence of str
        The names of the columns that are passed through.
    kept_is_json : bool
        Whether their values are JSON.
    """

    def __init__(
        self,
        output: Format,
        classes: Sequence[str],
        kept: Sequence[str],
        *,
        probabilities: bool,
        kept_is_json: bool,
    ) -> None:
        self._output, self._kept = output, list(kept)
        self._labels = strings(classes)
        self._json_labels = strings([_dump(label) for label in classes])
        self._csv_labels = [_to_csv([[label]])[:-1] for label in classes]
        self._classes = classes if probabilities else ()
        self._kept_is_json = kept_is_json

    @property
    def columns(self) -> list[str]:
        """The names of the output's columns; an object has the probabilities in one member."""
        return [ROW, *self._kept, PREDICTION, *map(_probability_name, self._classes)]

    def header(self) -> bytes:
        """Return what the output begins with."""
        return self._compress(_to_csv([self.columns])) if self._output.kind == "csv" else b""

    def encode(self, scored: Scored) -> bytes:
        """Return the bytes of a block's rows."""
        if self._output.kind == "jsonl":
            return self._compress(_join_lines(self._to_json_columns(scored), ""))
        if self._output.kind == "csv":
            return self._compress(self._encode_csv(scored))
        stream = pa.BufferOutputStream()
        table = pa.table(self._to_columns(scored), names=self.columns)
        with pa.ipc.new_stream(stream, table.schema) as writer:
            writer.write_table(table)
        return bytes(stream.getvalue())

    def _encode_csv(self, scored: Scored) -> bytes:
        if not self._kept and not self._classes and len(set(map(len, self._csv_labels))) == 1:
            return _join_fixed(scored.rows, scored.labels, self._csv_labels)
        columns = [_quote(column) for column in map(_to_strings, self._to_columns(scored))]
        return _join_lines(columns, ",")

    def _to_columns(self, scored: Scored) -> list[Any]:
        kept = list(scored.kept.columns)
        if self._kept_is_json:
            kept = [_from_json(column) for column in kept]
        columns = [integers(scored.rows), *kept, self._labels.take(integers(scored.labels))]
        if self._classes:
            assert scored.probabilities is not None  # checked before the run
            columns += [_to_nullable(column) for column in scored.probabilities.T]
        return columns

    def _to_json_columns(self, scored: Scored) -> list[Any]:
        """Return the parts of each line, which joined are an object."""
        parts: list[Any] = ['{"row":', _to_strings(integers(scored.rows))]
        for name, column in zip(self._kept, scored.kept.columns, strict=True):
            values = column if self._kept_is_json else _to_json(column)
            parts += [f",{_dump(name)}:", values]
        parts += [',"prediction":', self._json_labels.take(integers(scored.labels))]
        for index, name in enumerate(self._classes):
            assert scored.probabilities is not None  # checked before the run
            before = "," if index else ',"probabilities":{'
            values = pc.fill_null(_to_strings(_to_nullable(scored.probabilities[:, index])), "null")
            parts += [f"{before}{_dump(name)}:", values]
        return [*parts, "}}" if self._classes else "}"]

    def _compress(self, data: bytes) -> bytes:
        return gzip.compress(data, _GZIP_LEVEL, mtime=0) if self._output.is_compressed else data


def encode_rejected(rejected: Iterable[Rejected]) -> bytes:
    """Return rejected rows as CSV, one line for each problem."""
    return _to_csv(
        (each.row, "" if each.line is None else each.line, problem.at, problem.problem)
        for each in rejected
        for problem in each.problems
    )


def rejected_header() -> bytes:
    """Return what the file of the rejected rows begins with."""
    return _to_csv([REJECTED_COLUMNS])


def write_parquet(streams: Path, output: Path, columns: Sequence[str]) -> None:
    """Write blocks of `Encoder.encode` to a Parquet file, one after the other.

    Without a block, the file has the columns, and no rows.
    """
    size = streams.stat().st_size
    with open(streams, "rb") as file, ExitStack() as stack:
        if not size:
            pyarrow.parquet.write_table(pa.table({name: pa.nulls(0) for name in columns}), output)
        writer = None
        while file.tell() < size:
            table = pa.ipc.open_stream(file).read_all()
            if writer is None:
                writer = pyarrow.parquet.ParquetWriter(output, table.schema)
                stack.callback(writer.close)
            writer.write_table(table)


def _probability_name(label: str) -> str:
    return f"probability_{label}"


def _to_csv(rows: Iterable[Sequence[object]]) -> bytes:
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue().encode()


def _join_fixed(
    rows: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], texts: Sequence[bytes]
) -> bytes:
    """Return lines of a row's number and its label, of which all have one length."""
    table = np.frombuffer(b"".join(texts), np.uint8).reshape(len(texts), -1)
    parts = []
    for digits in range(len(str(rows[0])), len(str(rows[-1])) + 1):
        smallest = 10 ** (digits - 1) if digits > 1 else 0
        first, last = np.searchsorted(rows, [smallest, 10**digits])
        lines = np.empty((last - first, digits + table.shape[1] + 2), np.uint8)
        numbers = rows[first:last]
        if digits < 10:
            numbers = numbers.astype(np.int32)  # whose division is faster
        for column in range(digits - 1, -1, -1):
            tenths = numbers // 10
            lines[:, column] = numbers - 10 * tenths + ord("0")
            numbers = tenths
        lines[:, digits] = ord(",")
        lines[:, digits + 1 : -1] = table[labels[first:last]]
        lines[:, -1] = ord("\n")
        parts.append(lines.tobytes())
    return b"".join(parts)


def _join_lines(columns: list[Any], separator: str) -> bytes:
    """Join the columns of each row, and the rows."""
    lines = pc.binary_join_element_wise(
        *(
            column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            for column in columns
        ),
        separator,
        null_handling="replace",
    )
    ended = pc.binary_join_element_wise(lines, "\n", "")
    return _text_of(ended)


def _text_of(strings: Any) -> bytes:
    """Return the texts of an array without nulls, one after the other."""
    if not len(strings):
        return b""
    _, offsets, data = strings.buffers()
    ends = np.frombuffer(offsets, np.int32 if strings.type == pa.string() else np.int64)
    first, last = ends[strings.offset], ends[strings.offset + len(strings)]
    return bytes(data[int(first) : int(last)])


def _to_strings(column: Any) -> Any:
    """Return a column as text; what has no text in CSV as JSON."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if column.type == pa.string():
        return column
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return _to_json(column)


def _quote(strings: Any) -> Any:
    """Quote the texts that CSV quotes."""
    needs = pc.fill_null(pc.match_substring_regex(strings, _NEEDS_QUOTES), fill_value=False)
    if not pc.any(needs).as_py():
        return strings
    doubled = pc.replace_substring(strings, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise('"', doubled, '"', ""), strings)


def _to_nullable(numbers: npt.NDArray[np.float64]) -> Any:
    """Return numbers as float64, null where they are NaN."""
    numbers = np.ascontiguousarray(numbers, np.float64)
    buffers = [None, pa.py_buffer(numbers)]
    column = pa.Array.from_buffers(pa.float64(), len(numbers), buffers)
    return pc.if_else(pc.is_nan(column), None, column) if np.isnan(numbers).any() else column


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _to_json(column: Any) -> Any:
    return pa.array([_dump(_finite(value)) for value in column.to_pylist()], pa.string())


def _finite(value: object) -> object:
    """Return a value, None for a number that JSON lacks."""
    is_finite = not isinstance(value, float) or value - value == 0
    return value if is_finite else None


def _from_json(column: Any) -> Any:
    """Return JSON values as text: a string as it is, None for null, other values as JSON."""
    texts = []
    for text in column.to_pylist():
        value = json.loads(text) if text[0] in '"n' else text
        texts.append(value)
    return pa.array(texts, pa.string())
