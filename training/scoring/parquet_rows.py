"""Rows of Parquet, whose columns have types: those that no request could hold are rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.inputs.signature import Feature, Signature
from training.errors import UnreadableTable
from training.scoring.columns import Columns
from training.scoring.parsed import Parsed, booleans, to_array


def check_types(schema: Any, columns: Columns, signature: Signature) -> None:
    """Raise `UnreadableTable` if a column's type is not that of its feature."""
    for index, feature in zip(columns.of_features, signature.features, strict=True):
        if index is None:
            continue
        actual = schema.field(index).type
        if pa.types.is_dictionary(actual):
            actual = actual.value_type
        if not (pa.types.is_null(actual) or _fits(actual, feature)):
            expected = {"categorical": "text", "boolean": "true or false"}
            raise UnreadableTable(
                f"Column {feature.name} must be {expected.get(feature.kind, 'a number')}, and its "
                f"type is {actual}."
            )


def used_columns(columns: Columns) -> list[str]:
    """Return the names of the columns to read."""
    used = {index for index in (*columns.of_features, *columns.kept) if index is not None}
    return [columns.names[index] for index in sorted(used)]


class ParquetReader:
    """Reads the rows of record batches, which hold the `used_columns` alone."""

    def __init__(self, columns: Columns, signature: Signature) -> None:
        self._columns, self._signature = columns, signature

    def read(self, batch: Any) -> Parsed:
        """Return the rows of a batch."""
        features = self._signature.features
        columns = [
            None if index is None else _convert(batch.column(self._columns.names[index]), feature)
            for index, feature in zip(self._columns.of_features, features, strict=True)
        ]

        def values(rows: Sequence[int]) -> list[Any]:
            chosen = pa.array(rows, pa.int64())
            by_feature = [
                [None] * len(rows) if column is None else column.take(chosen).to_pylist()
                for column in columns
            ]
            return [list(row) for row in zip(*by_feature, strict=True)]

        kept = [self._columns.names[index] for index in self._columns.kept]
        numbers = [columns[i] for i in self._signature.number_indices]
        return Parsed(
            np.arange(batch.num_rows),
            [None if n is None else pc.cast(n, pa.float64(), safe=False) for n in numbers],
            [columns[i] for i in self._signature.text_indices],
            _find_large_integers(numbers, batch.num_rows),
            values,
            pa.table([batch.column(name) for name in kept], names=kept),
            {},
        )


def _fits(actual: Any, feature: Feature) -> bool:
    if feature.kind == "categorical":
        return bool(pa.types.is_string(actual) or pa.types.is_large_string(actual))
    if feature.kind == "boolean":
        return bool(pa.types.is_boolean(actual))
    return bool(
        pa.types.is_integer(actual) or pa.types.is_floating(actual) or pa.types.is_decimal(actual)
    )


def _convert(column: Any, feature: Feature) -> Any:
    """Return a column without dictionaries, decimals or NaN, which is a missing value."""
    column = to_array(column)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if feature.kind == "categorical":
        return pc.cast(column, pa.string())
    if pa.types.is_decimal(column.type):
        column = pc.cast(column, pa.float64())
    if pa.types.is_floating(column.type):
        column = pc.cast(column, pa.float64())
        return pc.if_else(pc.is_nan(column), None, column)
    return column


def _find_large_integers(columns: list[Any], rows: int) -> Any:
    """Return which rows have an integer that float64 may not hold: a request tells them apart."""
    found = np.zeros(rows, np.bool_)
    for column in columns:
        if column is not None and pa.types.is_integer(column.type) and column.type.bit_width == 64:
            large = pc.greater(pc.cast(column, pa.float64(), safe=False), 2.0**53)
            small = pc.less(pc.cast(column, pa.float64(), safe=False), -(2.0**53))
            found |= booleans(pc.fill_null(pc.or_(large, small), fill_value=False))
    return found
