"""Blocks of a file: whole rows, each once, wherever quotes and line ends are."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.errors import UnreadableTable
from training.scoring import splitting
from training.scoring.splitting import Block, Position, lines_of, read_irregular, row_lines, split

many = settings(max_examples=400, deadline=None)
TEXTS = st.lists(
    st.sampled_from(
        ['"', ",", "\n", "\r\n", "\r", "a", '"b"', '""', '"c\nd"', "1.5", "\n\n", 'x"y']
    )
).map("".join)


def blocks_of(text: str, size: int, *, has_blank_lines: bool = True) -> list[Block]:
    """Split a text as CSV, in blocks of about that many bytes."""
    file = io.BytesIO(text.encode())
    return list(split(file, "csv", Position(), block_bytes=size, has_blank_lines=has_blank_lines))


def rows_of(text: str) -> list[list[str] | None]:
    """Return the rows as Python's own reader has them; None for one that is not CSV."""
    rows: list[list[str] | None] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return rows
        except csv.Error:
            rows.append(None)
        else:
            rows += [row] if row else []


def first_lines(text: str) -> list[int]:
    """Return the line that each row begins in, from 0."""
    return [first for first, _ in read_irregular(text.encode())]


@many
@given(TEXTS, st.integers(1, 40))
def test_blocks_hold_the_rows_of_the_whole_text(text: str, size: int) -> None:
    """With any quotes and line ends, in blocks of any size."""
    blocks = blocks_of(text, size)
    rows = [cells for block in blocks for _, cells in read_irregular(block.data)]
    assert rows == rows_of(text)
    assert [block.row for block in blocks] == [
        sum(before.rows for before in blocks[:index]) for index in range(len(blocks))
    ]
    assert sum(block.rows for block in blocks) == len(rows)


@many
@given(TEXTS.map(lambda text: text.replace("\r\n", "\n").replace("\r", "")), st.integers(1, 40))
def test_the_line_of_each_row_is_where_it_begins(text: str, size: int) -> None:
    """Blank lines and quoted line ends count."""
    lines = [line for block in blocks_of(text, size) for line in row_lines(block, "csv")]
    assert lines == [1 + first for first in first_lines(text)]


@pytest.mark.parametrize("text", ["1,2\n3,4\n", "1,2\n3,4", '"a\nb",2\n"c",3\n'])
def test_rows_without_blank_lines_are_counted_without_a_search(text: str) -> None:
    """Quoted line ends are found all the same."""
    [block] = blocks_of(text, 100, has_blank_lines=False)
    assert block.rows == len(rows_of(text)) == 2


def test_a_position_in_the_middle_goes_on_there() -> None:
    """With the numbers of its rows and lines."""
    text = 'a,1\n"b\nc",2\n\nd,3\n'
    blocks = blocks_of(text, 1)
    for index, block in enumerate(blocks[:-1]):
        file = io.BytesIO(text.encode())
        file.seek(block.end)
        start = Position(block.end, block.row + block.rows, block.next_line)
        assert list(split(file, "csv", start, block_bytes=1)) == blocks[index + 1 :]


def test_a_row_without_an_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it fills the memory."""
    monkeypatch.setattr(splitting, "MAX_ROW_BYTES", 1_000)
    for text in ('1,2\n"' + "a\n" * 1_000, "1," + "2" * 1_200):
        with pytest.raises(UnreadableTable, match="a row of more than 1,000 bytes"):
            blocks_of(text, 100)


def test_lines_of_json_end_at_line_feeds() -> None:
    """Quotes do not matter; blank lines are no rows."""
    file = io.BytesIO(b'{"a":"\\""}\n\n{"b":1}\r\n{}')
    blocks = list(split(file, "jsonl", Position(), block_bytes=3))
    assert [line for block in blocks for line in lines_of(block)] == [
        b'{"a":"\\""}',
        b'{"b":1}\r',
        b"{}",
    ]
    assert [line for block in blocks for line in row_lines(block, "jsonl")] == [1, 3, 4]
