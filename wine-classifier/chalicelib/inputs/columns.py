"""Tables, whose columns are named once: find, reorder and parse the columns."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import inf
from typing import Any

from chalicelib.inputs.numbers import invalid_indices, pack_rows, to_floats
from chalicelib.inputs.problems import MAX_LISTED_PROBLEMS, Locate, Problems, member_path
from chalicelib.inputs.samples import NO_VALUE, Samples, check_row_count
from chalicelib.inputs.signature import Signature
from chalicelib.inputs.suggestions import did_you_mean
from chalicelib.inputs.values import Column, ColumnParser, rows_to_columns


def order_columns(
    names: Sequence[object],
    signature: Signature,
    problems: Problems,
    *,
    path: str,
    name_path: Callable[[int], str],
    ignores_others: bool = False,
) -> list[int | None]:
    """Find the column of each feature.

    Parameters
    ----------
    names : sequence
        Column names from the request.
    signature : Signature
    problems : Problems
        Receives names that are unknown, duplicated or missing.
    path : str
        Path of all columns, for a name that is missing.
    name_path : callable
        Returns the path of the name at an index.
    ignores_others : bool, default=False
        Whether a column that is no feature is no problem, unless one that has no column is meant.

    Returns
    -------
    list of int or None
        For each feature, in the model's order, the index of its column; None if it has none.

    Raises
    ------
    InvalidRequest
        If there are too many names to report each.
    """
    maximum = len(signature.features)
    if len(names) > maximum + MAX_LISTED_PROBLEMS and not ignores_others:
        problems.add(path, f"has {len(names):,} names; the model takes at most {maximum}")
        problems.raise_if_any()
    ignored = find_others(tuple(names), signature) if ignores_others else ()
    indices: dict[str, int] = {}
    for index, name in enumerate(names):
        if not isinstance(name, str):
            problems.add(name_path(index), "must be the name of a feature, as text")
        elif name not in signature.known_names:
            if name in ignored:
                continue
            problem = "is not a feature of this model"
            problems.add_unknown(name_path(index), name, signature.names, problem)
        elif name in indices:
            problems.add(name_path(index), "is duplicated")
        else:
            indices[name] = index
    for feature in signature.features:
        if feature.required and feature.name not in indices:
            problems.add(member_path(path, feature.name), "is required")
    return [indices.get(name) for name in signature.names]


@lru_cache(maxsize=4)  # the rows of a file have the same names
def find_others(names: tuple[object, ...], signature: Signature) -> frozenset[str]:
    """Return the names that are no features, without those close to a feature that is absent."""
    present = frozenset(names)
    absent = [feature for feature in signature.names if feature not in present]
    return frozenset(
        name
        for name in names
        if isinstance(name, str)
        and name not in signature.known_names
        and not did_you_mean(name, absent)
    )


def check_rows(
    rows: list[Any], width: int, problems: Problems, *, path: str, max_rows: int
) -> None:
    """Report rows that are not lists of a value for each of the columns, `width` in number.

    Raises `TooManySamples` if there are too many.
    """
    check_row_count(len(rows), max_rows)
    if set(map(type, rows)) == {list} and set(map(len, rows)) == {width}:
        return
    for index, row in enumerate(rows):
        if not isinstance(row, list):
            problems.add(f"{path}[{index}]", "must be a list")
        elif len(row) != width:
            problem = f"has {len(row)} values, not {width}: one for each column"
            problems.add(f"{path}[{index}]", problem)


def read_rows(
    rows: list[list[Any]],
    order: list[int | None],
    signature: Signature,
    locate: Locate,
    *,
    width: int,
    max_rows: int,
) -> Samples:
    """Parse samples that arrive as the rows of a table, checked by `check_rows`.

    Parameters and errors are those of `read_columns`; `width` is the number of columns.
    """
    if signature.is_unconstrained and None not in order:
        packed = pack_rows(rows, signature)
        if packed is not None:
            return Samples(len(rows), _reorder(packed, order), [])
    columns = rows_to_columns(rows, width)
    return read_columns(columns, order, signature, locate, rows=len(rows), max_rows=max_rows)


def _reorder(matrix: array[float], order: list[int | None]) -> array[float]:
    """Return a matrix with its columns in another order."""
    reordered, width = array("d", matrix), len(order)
    for position, column in enumerate(order):
        reordered[position::width] = matrix[column::width]
    return reordered


def read_columns(
    columns: Sequence[Column],
    order: list[int | None],
    signature: Signature,
    locate: Locate,
    *,
    rows: int,
    max_rows: int,
) -> Samples:
    """Parse samples that arrive as columns, with the results of `read_samples`.

    Parameters
    ----------
    columns : sequence of Column
        Of one length.
    order : list of int or None
        From `order_columns`.
    signature : Signature
    locate : Locate
        Returns the path of a value in the request, for problems.
    rows : int
        The length of each column.
    max_rows : int

    Returns
    -------
    Samples

    Raises
    ------
    InvalidRequest
        If the samples do not fit the signature; lists all problems.
    TooManySamples
    """
    check_row_count(rows, max_rows)
    problems = Problems()
    if not rows:
        problems.add(locate(None, None), "has no samples")
        problems.raise_if_any()
    by_feature = [None if index is None else columns[index] for index in order]
    if not signature.has_required:
        for row in _find_missing_rows(by_feature):
            problems.add(locate(row, None), NO_VALUE)
    numbers, texts = ColumnParser(signature, locate, problems).parse(by_feature, rows)
    problems.raise_if_any()
    return Samples(rows, numbers, texts)


def _find_missing_rows(columns: Sequence[Column | None]) -> list[int]:
    """Return the indices of rows that have only missing values."""
    missing: set[int] | None = None
    for column in columns:
        if column is not None:
            rows = _find_missing(column.values)
            missing = set(rows) if missing is None else missing.intersection(rows)
            if not missing:
                return []
    return sorted(missing or ())


def _find_missing(values: Sequence[Any]) -> list[int]:
    if isinstance(values, array):
        return invalid_indices(to_floats(values), inf)
    if None not in values:
        return []
    return [row for row, value in enumerate(values) if value is None]
