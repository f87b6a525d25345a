"""Tables, whose columns are named once, to rows in the model's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.inputs.problems import MAX_LISTED_PROBLEMS, Problems, member_path
from chalicelib.inputs.samples import check_row_count
from chalicelib.inputs.signature import Signature


def order_columns(
    names: Sequence[object],
    signature: Signature,
    problems: Problems,
    *,
    path: str,
    name_path: Callable[[int], str],
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
    if len(names) > maximum + MAX_LISTED_PROBLEMS:
        problems.add(path, f"has {len(names):,} names; the model takes at most {maximum}")
        problems.raise_if_any()
    indices: dict[str, int] = {}
    for index, name in enumerate(names):
        if not isinstance(name, str):
            problems.add(name_path(index), "must be the name of a feature, as text")
        elif name not in signature.known_names:
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


def reorder_rows(
    rows: list[Any],
    order: list[int | None],
    width: int,
    problems: Problems,
    *,
    path: str,
    max_rows: int,
) -> list[list[Any]]:
    """Reorder the values of each row to the model's order.

    Parameters
    ----------
    rows : list
        Rows from the request.
    order : list of int or None
        From `order_columns`.
    width : int
        Number of columns.
    problems : Problems
        Receives rows that are not lists, or of another length.
    path : str
        Path of the rows.
    max_rows : int

    Returns
    -------
    list of list
        Without the rows that have a problem.

    Raises
    ------
    TooManySamples
    """
    check_row_count(len(rows), max_rows)
    in_order = order == list(range(width))
    reordered = []
    for index, row in enumerate(rows):
        if not isinstance(row, list):
            problems.add(f"{path}[{index}]", "must be a list")
        elif len(row) != width:
            problem = f"has {len(row)} values, not {width}: one for each column"
            problems.add(f"{path}[{index}]", problem)
        elif in_order:
            reordered.append(row)
        else:
            reordered.append([None if column is None else row[column] for column in order])
    return reordered


def columns_to_rows(
    columns: Sequence[list[Any]], order: list[int | None], *, max_rows: int
) -> list[list[Any]]:
    """Transpose columns of one length, ordered by `order_columns`, to rows."""
    row_count = len(columns[0]) if columns else 0
    check_row_count(row_count, max_rows)
    missing = [None] * row_count
    by_feature = [missing if index is None else columns[index] for index in order]
    return [list(row) for row in zip(*by_feature, strict=True)]
