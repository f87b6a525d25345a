"""Rows of CSV: typed by PyArrow; else as strings; else as Python's own reader splits them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from chalicelib.errors import Problem
from chalicelib.inputs.signature import Signature
from chalicelib.protocols.invocations.csv_format import parse_cell
from training.errors import UnreadableTable
from training.scoring.columns import Columns
from training.scoring.parsed import Parsed, booleans, to_array
from training.scoring.splitting import Block, Miscounted, read_irregular

NOT_CSV = "is not CSV: see its quotes"
NOT_UTF_8 = "is not UTF-8"

# What `chalicelib.inputs.numbers.NUMBER` and PyArrow's conversion read alike.
_NUMBER = r"^-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_BOOLEANS = ["true", "True", "TRUE"], ["false", "False", "FALSE"]
_SURROGATES = re.compile("[\udc80-\udcff]")
BOM = b"\xef\xbb\xbf"


def read_header(data: bytes) -> list[str]:
    """Return the names in the first row; raise `UnreadableTable` if there are none."""
    first = next(read_irregular(data.removeprefix(BOM)), None)
    if first is None:
        raise UnreadableTable("The table is empty.")
    cells = first[1]
    if cells is None or any(_SURROGATES.search(cell) or "\0" in cell for cell in cells):
        raise UnreadableTable("Line 1 is no header of CSV in UTF-8.")
    names = [cell.strip() for cell in cells]
    if len(names) == 1:
        for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if separator in names[0]:
                raise UnreadableTable(f"Line 1 has {name}: columns must be separated by commas.")
    return names


class CsvReader:
    """Reads the rows of blocks.

    Parameters
    ----------
    columns : Columns
    signature : Signature
    """

    def __init__(self, columns: Columns, signature: Signature) -> None:
        self._columns, self._signature = columns, signature
        self._names = [f"c{index}" for index in range(len(columns.names))]
        self._types: dict[str, Any] = {}
        for index, feature in zip(columns.of_features, signature.features, strict=True):
            if index is not None:
                kinds = {"categorical": pa.string(), "boolean": pa.bool_()}
                self._types[self._names[index]] = kinds.get(feature.kind, pa.float64())
        self._has_kept_numbers = False
        for index in columns.kept:
            kept_type = self._types.setdefault(self._names[index], pa.string())
            self._has_kept_numbers |= kept_type != pa.string()
        self._strings = dict.fromkeys(self._types, pa.string())

    def read(self, block: Block) -> Parsed:
        """Return the rows of a block."""
        if block.is_regular:
            try:
                return self._read_typed(block)
            except pa.ArrowInvalid:
                pass
            try:
                return self._parse_strings(self._read(block, self._strings), np.arange(block.rows))
            except pa.ArrowInvalid:  # a row of another length, or bytes that are not UTF-8
                pass
        return self._read_irregular(block)

    def _read_typed(self, block: Block) -> Parsed:
        table = self._read(block, self._types)
        strings = self._read(block, self._strings) if self._has_kept_numbers else None
        numbers, texts = self._split(table)

        def values(rows: Sequence[int]) -> list[Any]:
            table = self._read(block, self._strings) if strings is None else strings
            return self._values(table, rows)

        return Parsed(
            np.arange(block.rows),
            [None if n is None else pc.cast(n, pa.float64()) for n in numbers],
            texts,
            np.zeros(block.rows, np.bool_),
            values,
            self._kept(table if strings is None else strings),
            {},
        )

    def _read(self, block: Block, types: dict[str, Any]) -> Any:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(block.data),
            pyarrow.csv.ReadOptions(
                column_names=self._names, use_threads=False, block_size=len(block.data) + 1
            ),
            pyarrow.csv.ParseOptions(newlines_in_values=b'"' in block.data),
            pyarrow.csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=[""],
                true_values=_BOOLEANS[0],
                false_values=_BOOLEANS[1],
                strings_can_be_null=True,
            ),
        )
        if table.num_rows != block.rows:
            raise Miscounted
        return table

    def _read_irregular(self, block: Block) -> Parsed:
        rows, cells_of_rows, rejected = [], [], {}
        width = len(self._names)
        for row, (_, cells) in enumerate(read_irregular(block.data)):
            if cells is None:
                rejected[row] = [Problem("", NOT_CSV)]
            elif len(cells) != width:
                problem = f"has {len(cells)} values, not {width}: one for each column"
                rejected[row] = [Problem("", problem)]
            elif _SURROGATES.search("".join(cells)):
                rejected[row] = [Problem("", NOT_UTF_8)]
            else:
                rows.append(row)
                cells_of_rows.append(cells)
        table = pa.table(
            {
                name: pa.array(
                    [cells[self._names.index(name)] or None for cells in cells_of_rows], pa.string()
                )
                for name in self._types
            }
        )
        return self._parse_strings(table, np.array(rows, np.int64), rejected)

    def _parse_strings(
        self, table: Any, rows: Any, rejected: dict[int, list[Problem]] | None = None
    ) -> Parsed:
        doubtful = np.zeros(len(rows), np.bool_)
        numbers, texts = self._split(table)
        for position, index in enumerate(self._signature.number_indices):
            if numbers[position] is not None:
                kind = self._signature.features[index].kind
                parse = _parse_booleans if kind == "boolean" else _parse_numbers
                numbers[position], is_doubtful = parse(numbers[position])
                doubtful |= is_doubtful

        def values(chosen: Sequence[int]) -> list[Any]:
            return self._values(table, chosen)

        return Parsed(rows, numbers, texts, doubtful, values, self._kept(table), rejected or {})

    def _split(self, table: Any) -> tuple[list[Any], list[Any]]:
        """Return the columns of the features that are not text, and of those that are."""
        indices = self._columns.of_features
        columns = [
            None if index is None else to_array(table.column(self._names[index]))
            for index in indices
        ]
        signature = self._signature
        return (
            [columns[i] for i in signature.number_indices],
            [columns[i] for i in signature.text_indices],
        )

    def _kept(self, table: Any) -> Any:
        kept = self._columns.kept
        return pa.table(
            [table.column(self._names[index]) for index in kept],
            names=[self._columns.names[index] for index in kept],
        )

    def _values(self, table: Any, rows: Sequence[int]) -> list[Any]:
        chosen = table.take(pa.array(rows, pa.int64()))
        columns = [
            [None] * len(rows)
            if index is None
            else [
                parse_cell(cell or "", feature)
                for cell in chosen.column(self._names[index]).to_pylist()
            ]
            for index, feature in zip(
                self._columns.of_features, self._signature.features, strict=True
            )
        ]
        return [list(values) for values in zip(*columns, strict=True)]


def _parse_numbers(strings: Any) -> tuple[Any, Any]:
    """Return numbers, null where PyArrow would read another, and where that is."""
    is_number = pc.fill_null(pc.match_substring_regex(strings, _NUMBER), True)
    numbers = pc.cast(pc.if_else(is_number, strings, None), pa.float64())
    return numbers, ~booleans(is_number)


def _parse_booleans(strings: Any) -> tuple[Any, Any]:
    is_true = pc.is_in(strings, pa.array(_BOOLEANS[0]))
    is_known = pc.is_in(strings, pa.array([*_BOOLEANS[0], *_BOOLEANS[1], None]))
    numbers = pc.if_else(
        pc.and_(is_known, pc.is_valid(strings)), pc.cast(is_true, pa.float64()), None
    )
    return numbers, ~booleans(is_known)
