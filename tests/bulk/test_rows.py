"""Where rows end, compared with Python's reader on the whole file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.bulk.errors import FileProblem
from chalicelib.bulk.rows import (
    MAX_ROW_BYTES,
    Kind,
    Range,
    find_ranges,
    last_row_end,
    split_rows,
    whole_rows,
)

# Cells with all that may confuse: quotes within and at the begin, commas, line ends, other bytes.
PIECES = st.sampled_from(['"', '""', ",", "\n", "\r\n", "a", "1.5", " ", "é", '",', '\n"', "a,b\n"])
TEXTS = st.lists(PIECES, max_size=60).map("".join)
TABLES = st.lists(st.lists(st.text('ab",\n é', max_size=6), min_size=1, max_size=3), max_size=30)


def chunks_of(data: bytes, size: int) -> list[bytes]:
    """Cut data into chunks."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def ranges_of(data: bytes, kind: Kind, *, chunk: int, size: int) -> list[Range]:
    """Return the ranges of data that arrives in chunks."""
    return list(find_ranges(chunks_of(data, chunk), kind, start=0, line=1, range_bytes=size))


def read_all(data: bytes) -> list[list[str]]:
    """Return the rows as Python's reader splits the whole of them."""
    return list(csv.reader(io.StringIO(data.decode("latin-1"), newline="")))


@given(TEXTS, st.integers(1, 9), st.integers(1, 40))
def test_ranges_of_any_text_hold_the_rows_of_the_whole(text: str, chunk: int, size: int) -> None:
    """Whatever the quotes are: the rows of the ranges, joined, are those of the file."""
    data = text.encode()
    ranges = ranges_of(data, "csv", chunk=chunk, size=size)
    rows = [row for item in ranges for row in read_all(data[item.start : item.end])]
    assert rows == read_all(data)


@given(TEXTS, st.integers(1, 9), st.integers(1, 40))
def test_ranges_follow_each_other_and_know_their_lines(text: str, chunk: int, size: int) -> None:
    """From the first byte to the last; a line is counted by its line feed."""
    data = text.encode()
    ranges = ranges_of(data, "csv", chunk=chunk, size=size)
    ends = [0, *(item.end for item in ranges)]
    assert [item.start for item in ranges] == ends[:-1]
    assert ends[-1] == len(data)
    for item in ranges:
        assert item.line == 1 + data.count(b"\n", 0, item.start)
    for item in ranges[:-1]:
        assert item.end - item.start >= size


@given(TABLES, st.sampled_from(["\n", "\r\n"]), st.integers(1, 50), st.integers(1, 60))
def test_ranges_of_a_written_table_hold_its_rows(
    table: list[list[str]], line_end: str, chunk: int, size: int
) -> None:
    """As Python's writer quotes them."""
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end).writerows(table)
    data = text.getvalue().encode()
    ranges = ranges_of(data, "csv", chunk=chunk, size=size)
    rows = [row for item in ranges for row in read_all(data[item.start : item.end])]
    assert rows == [[cell.encode().decode("latin-1") for cell in row] for row in table]


@given(TEXTS)
def test_rows_are_split_as_the_reader_splits_them(text: str) -> None:
    """One by one, without the blank ones."""
    data = text.encode()
    rows = [row for piece in split_rows(data, "csv") for row in read_all(piece) if row]
    assert rows == [row for row in read_all(data) if row]
    assert all(len([row for row in read_all(p) if row]) == 1 for p in split_rows(data, "csv"))


@given(st.lists(st.sampled_from([b'{"a":"\\""}', b"[1]", b"", b" "])), st.integers(1, 9))
def test_json_lines_end_at_line_feeds_alone(lines: list[bytes], chunk: int) -> None:
    """Quotes do not count."""
    data = b"\n".join(lines)
    ranges = ranges_of(data, "jsonl", chunk=chunk, size=1)
    assert b"".join(data[item.start : item.end] for item in ranges) == data
    for item, following in pairwise(ranges):
        assert data[item.end - 1 : item.end] == b"\n"
        assert following.start == item.end
    assert split_rows(data, "jsonl") == [
        line for line in data.splitlines(keepends=True) if line.strip()
    ]


def test_a_quote_within_a_cell_opens_nothing() -> None:
    """As in 5", which RFC 4180 does not allow and many programs write."""
    data = b'size,name\n5",pipe\n6",pipe\n'
    assert last_row_end(data, "csv") == len(data)
    assert len(split_rows(data, "csv")) == 3


def test_carriage_returns_alone_end_rows_too() -> None:
    """Of a small file: it is one range."""
    assert split_rows(b"a,b\r1,2\r3,4\r", "csv") == [b"a,b\r", b"1,2\r", b"3,4\r"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_line_that_does_not_end_is_rejected_with_its_number(kind: Kind) -> None:
    """Before it fills the memory."""
    chunk = b"x" * 1_000_000
    read = []

    def chunks() -> Iterator[bytes]:
        yield b"a\nb\n"
        for _ in range(100):
            read.append(1)
            yield chunk

    with pytest.raises(FileProblem, match="at line 3 or after is too long"):
        list(whole_rows(chunks(), kind))
    assert len(read) * len(chunk) < MAX_ROW_BYTES + 2 * len(chunk)


def test_a_quote_that_is_left_open_is_rejected() -> None:
    """Else all that follows would be one cell."""
    data = b"a,b\n" + b'"1,2\n' + b"3,4\n" * 50_000
    with pytest.raises(FileProblem, match="Is a quote left open"):
        list(whole_rows(chunks_of(data, 10_000), "csv"))
