"""Split a text file into blocks of whole rows, with the line and the number of each.

The standard library alone, so that code without PyArrow can share it. A row of CSV ends at a line
end outside quotes. Where quotes are regular, which one search tells, counting them finds the ends;
where they are not, such as in ``5" pipe``, Python's own reader does.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal, NamedTuple

from training.errors import UnreadableTable

BLOCK_BYTES = 1 << 20
MAX_ROW_BYTES = 16 << 20

# Text whose every quoted cell begins after a separator and ends before one.
_REGULAR_QUOTES = re.compile(
    rb'(?:[^"]*+(?<![^,\n\r])"(?:[^"]++|"")*+"(?![^,\n\r]))*+[^"]*+', re.DOTALL
)
_OPEN_QUOTE = re.compile(rb'(?<![^,\n\r])"(?:[^"]++|"")*+\Z', re.DOTALL)

_UNEXPECTED_END = "unexpected end of data"  # csv's words for a quote that is not closed

Rows = Literal["csv", "jsonl"]


class Block(NamedTuple):
    """Whole rows of a file.

    Parameters
    ----------
    data : bytes
        Their text; only the last row of a file may lack a line end.
    end : int
        The offset in the file after them.
    row : int
        The number of the first row, from 0.
    line : int
        The line that it begins in, from 1.
    rows : int
        How many rows there are; blank lines are none.
    next_line : int
        The line that follows.
    is_regular : bool
        Whether every line end outside quotes is a line feed, and quotes are where CSV has them.
    """

    data: bytes
    end: int
    row: int
    line: int
    rows: int
    next_line: int
    is_regular: bool


class Miscounted(Exception):
    """A block has blank lines, which were counted as rows."""


class Position(NamedTuple):
    """Where to go on in a file."""

    offset: int = 0
    row: int = 0
    line: int = 1


def split(
    file: BinaryIO,
    rows: Rows,
    start: Position,
    *,
    block_bytes: int = BLOCK_BYTES,
    has_blank_lines: bool = True,
    count_newlines: Callable[[bytes], int] = lambda data: data.count(b"\n"),
) -> Iterator[Block]:
    """Yield the rest of a file, which is at the start position, in blocks.

    Without blank lines, which take long to find, each line is counted as a row. Raises
    `UnreadableTable` if a row is longer than `MAX_ROW_BYTES`.
    """
    offset, row, line = start
    while data := file.read(block_bytes):
        data, is_regular = _read_to_row_end(file, data, rows, line)
        offset += len(data)
        newlines = count_newlines(data) if is_regular else len(data.splitlines())
        if not is_regular:
            count = sum(1 for _ in read_irregular(data))
        elif has_blank_lines or (rows == "csv" and b'"' in data):
            count = len(_find_rows(data, rows))
        else:
            count = newlines + (not data.endswith(b"\n"))
        if count:
            yield Block(data, offset, row, line, count, line + newlines, is_regular)
        row, line = row + count, line + newlines


def row_lines(block: Block, rows: Rows) -> list[int]:
    """Return the line that each row of a block begins in."""
    if rows == "csv" and not block.is_regular:
        return [block.line + first for first, _ in read_irregular(block.data)]
    return [block.line + first for first in _find_rows(block.data, rows)]


def lines_of(block: Block) -> list[bytes]:
    """Return the lines of a block that are not blank."""
    return [line for line in block.data.split(b"\n") if line.strip()]


def read_irregular(data: bytes) -> Iterator[tuple[int, list[str] | None]]:
    """Yield the first line of each row, from 0, and its cells; None if it is not CSV.

    Bytes that are not UTF-8 become lone surrogates.
    """
    reader = csv.reader(_decode_lines(data), strict=True)
    while True:
        first = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield first, None
        else:
            if cells:
                yield first, cells


def _decode_lines(data: bytes) -> Iterator[str]:
    return (line.decode("utf-8", "surrogateescape") for line in data.splitlines(keepends=True))


def _read_to_row_end(file: BinaryIO, data: bytes, rows: Rows, line: int) -> tuple[bytes, bool]:
    """Return the data up to the next end of a row, and whether it is regular."""
    if not data.endswith(b"\n"):
        data += _read_line(file, line)
    if rows == "jsonl":
        return data, True
    has_bare_returns = b"\r" in data and data.count(b"\r") != data.count(b"\r\n")
    is_regular, is_open = _inspect_quotes(data) if b'"' in data else (True, False)
    if not has_bare_returns and is_regular and not is_open:
        return data, True
    while is_regular and is_open:
        more = _read_to_quote(file, line)
        if not more:
            break
        data += more
        _check_length(data, line)
        is_regular, is_open = _inspect_quotes(data)
    if is_regular and not is_open and not has_bare_returns:
        return data, data.count(b"\r") == data.count(b"\r\n")
    while _ends_within_row(data):
        more = file.read(len(data))
        if not more:
            break
        data += more + _read_line(file, line)
        _check_length(data, line)
    return data, False


def _read_line(file: BinaryIO, line: int) -> bytes:
    data = file.readline(MAX_ROW_BYTES)
    _check_length(data, line)
    return data


def _read_to_quote(file: BinaryIO, line: int) -> bytes:
    """Return lines up to the one that closes an open quote."""
    lines, size = [], 0
    while data := _read_line(file, line):
        lines.append(data)
        size += len(data)
        if data.count(b'"') % 2 or size >= MAX_ROW_BYTES:
            break
    return b"".join(lines)


def _check_length(data: bytes, line: int) -> None:
    if len(data) >= MAX_ROW_BYTES:
        raise UnreadableTable(
            f"After line {line:,} there is a row of more than {MAX_ROW_BYTES:,} bytes: a quote is "
            "not closed, or lines do not end in line feeds."
        )


def _inspect_quotes(data: bytes) -> tuple[bool, bool]:
    """Return whether quotes are regular, and whether the last is not closed."""
    matched = _REGULAR_QUOTES.match(data)
    assert matched is not None  # it matches an empty text
    if matched.end() == len(data):
        return True, False
    is_open = _OPEN_QUOTE.match(data, matched.end()) is not None
    return is_open, is_open


def _ends_within_row(data: bytes) -> bool:
    reader = csv.reader(_decode_lines(data), strict=True)
    while True:
        try:
            next(reader)
        except StopIteration:
            return False
        except csv.Error as error:
            if str(error) == _UNEXPECTED_END:
                return True


def _find_rows(data: bytes, rows: Rows) -> list[int]:
    """Return the first line of each row, from 0."""
    lines = data.split(b"\n")
    if rows == "jsonl":
        return [number for number, line in enumerate(lines) if line.strip()]
    firsts, is_open = [], False
    for number, line in enumerate(lines):
        if not is_open:
            if line in (b"", b"\r"):
                continue
            firsts.append(number)
        if b'"' in line:
            is_open ^= line.count(b'"') % 2 == 1
    return firsts
