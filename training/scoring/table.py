"""A table to score: its columns, and its rows in blocks."""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from chalicelib.inputs.signature import Signature
from training.errors import UnreadableTable
from training.scoring.columns import Columns, match_columns
from training.scoring.csv_rows import read_header
from training.scoring.files import Input
from training.scoring.json_rows import first_names
from training.scoring.parquet_rows import check_types, used_columns
from training.scoring.splitting import Block, Position, read_irregular, split
from training.scoring.worker import Batch

HEADER_BYTES = 1 << 20  # at most
_USUAL_HEADER_BYTES = 1 << 14
PARQUET_ROWS = 16_384  # of a batch


class Table:
    """A table in a file.

    Parameters
    ----------
    location : str
        A path, or ``s3://bucket/key``.
    """

    def __init__(self, location: str) -> None:
        self._input = Input(location)
        self.location = location
        self.kind = self._input.format.kind
        self.identity, self.size = self._input.identity, self._input.size

    def find_columns(self, signature: Signature, keep: list[str] | None) -> Columns:
        """Match the columns with a model's features; raise `UnreadableTable` if they do not fit."""
        if self.kind == "parquet":
            schema = self._open_parquet().schema_arrow
            columns = match_columns(schema.names, signature, keep)
            check_types(schema, columns, signature)
            return columns
        with self._open_text(0) as file:
            data = self._read(file, HEADER_BYTES)
        if not data.strip():
            raise UnreadableTable("The table is empty.")
        if self.kind == "csv":
            return match_columns(read_header(data), signature, keep)
        keep = first_names(data) if keep is None else keep
        names = [*signature.names, *(name for name in keep if name not in signature.known_names)]
        kept = [names.index(name) for name in keep]
        return Columns(names, list(range(len(signature.names))), kept, [])

    def blocks(
        self, columns: Columns, start: Position, *, has_blank_lines: bool = False
    ) -> Iterator[Block | Batch]:
        """Yield the rows from a position on; see `training.scoring.splitting.split`."""
        if self.kind == "parquet":
            yield from self._read_batches(columns, start.row)
            return
        with self._open_text(start.offset) as file:
            if self.kind == "csv" and start == Position():
                start = _skip_header(self._read(file, HEADER_BYTES))
                file.seek(start.offset)
            try:
                yield from split(
                    file,
                    self.kind,
                    start,
                    has_blank_lines=has_blank_lines,
                    count_newlines=_count_newlines,
                )
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise self._not_gzip() from error

    def bytes_read(self) -> int:
        """Return how many bytes of the file were read, of `size`."""
        return self._input.read()

    def close(self) -> None:
        """Close the file."""
        self._input.close()

    def _open_text(self, offset: int) -> Any:
        try:
            return self._input.open_at(offset)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise self._not_gzip() from error

    def _read(self, file: Any, size: int) -> bytes:
        try:
            data: bytes = file.read(size)
            return data
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise self._not_gzip() from error

    def _not_gzip(self) -> UnreadableTable:
        return UnreadableTable(f"{self.location} is not a whole gzip file.")

    def _open_parquet(self) -> Any:
        try:
            return pyarrow.parquet.ParquetFile(self._input.open())
        except pa.ArrowInvalid as error:
            raise UnreadableTable(f"{self.location} is not a Parquet file.") from error

    def _read_batches(self, columns: Columns, start: int) -> Iterator[Batch]:
        """Yield the rows from a number on, from the row group that it is in."""
        file = self._open_parquet()
        row, first = 0, 0
        while first < file.num_row_groups:
            rows = file.metadata.row_group(first).num_rows
            if row + rows > start:
                break
            row, first = row + rows, first + 1
        groups = list(range(first, file.num_row_groups))
        names = used_columns(columns)
        for data in file.iter_batches(PARQUET_ROWS, row_groups=groups, columns=names):
            skipped = max(0, start - row)
            if skipped < data.num_rows:
                yield Batch(data.slice(skipped), row + skipped)
            row += data.num_rows


def _count_newlines(data: bytes) -> int:
    """Count in a third of the time of ``data.count``."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))


def _skip_header(data: bytes) -> Position:
    """Return where the first row after the header begins."""
    short = data[:_USUAL_HEADER_BYTES]
    if sum(1 for _ in itertools.islice(read_irregular(short), 3)) == 3:
        data = short  # its first two rows are whole
    rows = read_irregular(data)
    next(rows)
    lines = data.splitlines(keepends=True)
    # Blank lines before the second row are skipped with the header.
    line = next((first for first, _ in rows), len(lines))
    offset = sum(map(len, lines[:line]))
    if offset == HEADER_BYTES:
        raise UnreadableTable(f"The header has more than {HEADER_BYTES:,} bytes.")
    return Position(offset, 0, line + 1)
