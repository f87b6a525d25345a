"""Where rows end: CSV as Python's own reader splits it, and JSON Lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Literal

from chalicelib.bulk.errors import FileProblem
from chalicelib.named_tuple import NamedTuple
from chalicelib.rest.body import LAMBDA_PAYLOAD_BYTES

Kind = Literal["csv", "jsonl"]

MAX_ROW_BYTES = LAMBDA_PAYLOAD_BYTES  # as of a request


class Range(NamedTuple):
    """A range of a file that holds whole rows."""

    start: int  # the first byte
    end: int  # the byte after the last one
    line: int  # the number of the first line, from 1


class _Lines:
    """The lines of a text, counted as a reader takes them."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.taken = 0  # characters
        self.is_exhausted = False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.taken += len(line)
            yield line
        self.is_exhausted = True


def row_ends(lines_of_rows: bytes, kind: Kind) -> Iterator[int]:
    """Yield the end of each row in lines that begin with a row; blank lines count as rows.

    Raises `csv.Error` if a cell of CSV is longer than its reader takes: a quote is left open.
    """
    if kind == "jsonl":
        end = 0
        while end < len(lines_of_rows):
            end = lines_of_rows.find(b"\n", end) + 1 or len(lines_of_rows)
            yield end
        return
    lines = _Lines(lines_of_rows.decode("latin-1"))  # a character is a byte
    for _ in csv.reader(lines):
        if lines.is_exhausted:  # inside quotes
            return
        yield lines.taken


def last_row_end(data: bytes, kind: Kind) -> int:
    """Return the end of the last complete row, 0 if there is none; see `row_ends`."""
    complete = data.rfind(b"\n") + 1
    if kind == "jsonl" or b'"' not in data:
        return complete
    end = 0
    for end in row_ends(data[:complete], kind):  # noqa: B007
        pass
    return end


def split_rows(data: bytes, kind: Kind) -> list[bytes]:
    """Split whole rows, of which the last may lack its line end; blank ones are left out."""
    rows, start = [], 0
    for end in [*row_ends(data, kind), len(data)]:
        rows.append(data[start:end])
        start = end
    return [row for row in rows if row.strip(b"\r\n" if kind == "csv" else None)]


def whole_rows(chunks: Iterable[bytes], kind: Kind, line: int = 1) -> Iterator[tuple[bytes, int]]:
    """Join chunks so that each holds whole rows, and yield each with its first line's number.

    Raises `FileProblem` if a row is too long.
    """
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        try:
            end = last_row_end(data, kind)
        except csv.Error:
            raise _too_long(line) from None
        if len(data) - end > MAX_ROW_BYTES:
            raise _too_long(line + data.count(b"\n", 0, end))
        rest = data[end:]
        if end:
            yield data[:end], line
            line += data.count(b"\n", 0, end)
    if rest:
        yield rest, line


def find_ranges(
    chunks: Iterable[bytes], kind: Kind, *, start: int, line: int, range_bytes: int
) -> Iterator[Range]:
    """Find ranges of whole rows, each of `range_bytes` or more but the last.

    Parameters
    ----------
    chunks : iterable of bytes
        The file from `start` on; the same chunks give the same ranges.
    kind : {"csv", "jsonl"}
    start, line : int
        The first byte, and the number of its line.
    range_bytes : int

    Yields
    ------
    Range

    Raises
    ------
    FileProblem
        If a row is too long.
    """
    end, first_line = start, line
    for rows, number in whole_rows(chunks, kind, line):
        if end - start >= range_bytes:
            yield Range(start, end, first_line)
            start, first_line = end, number
        end += len(rows)
    if end > start:
        yield Range(start, end, first_line)


def _too_long(line: int) -> FileProblem:
    return FileProblem(
        f"The row at line {line:,} or after is too long: a row may have {MAX_ROW_BYTES:,} "
        f"bytes, a cell of CSV {csv.field_size_limit():,}. Is a quote left open?"
    )
