"""Samples that name their columns once, as tables do: into rows as a model takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.errors import BodyTooLarge
from chalicelib.inputs.problems import MAX_LISTED_PROBLEMS, Problems
from chalicelib.inputs.signature import Signature
from chalicelib.inputs.suggestions import did_you_mean, shortened

# Where `chalicelib.samples` finds a problem with one value of a batch.
_VALUE = re.compile(r"data\[(\d+)\]\.(.*)", re.DOTALL)


def order_columns(
    names: Sequence[object],
    signature: Signature,
    problems: Problems,
    place: Callable[[int], str],
    *,
    missing_at: str,
) -> list[int | None]:
    """Find the column of each feature.

    Parameters
    ----------
    names : sequence
        The columns' names, as they were sent.
    signature : Signature
        What the model takes.
    problems : Problems
        Where to note names that are unknown, twice there, or missing.
    place : callable
        Says where in the request the name of the nth column is.
    missing_at : str
        Where in the request a column is missed that is not there.

    Returns
    -------
    list of int or None
        For each feature, in the model's order, which column holds it; None if none does.

    Raises
    ------
    InvalidRequest
        If there are so many names that they are not looked at.
    """
    most = len(signature.features)
    if len(names) > most + MAX_LISTED_PROBLEMS:  # then it would not help to name each that is wrong
        problems.add(missing_at, f"holds {len(names):,} names; the model takes at most {most}")
        problems.raise_if_any()
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        if not isinstance(name, str):
            problems.add(place(index), "must be the name of a feature, as text")
        elif name not in signature.known_names:
            hint = "" if problems.list_is_full() else did_you_mean(name, signature.names)
            problems.add(place(index), f"is not a feature of this model{hint}")
        elif name in found:
            problems.add(place(index), "is there twice")
        else:
            found[name] = index
    for feature in signature.features:
        if feature.required and feature.name not in found:
            problems.add(f"{missing_at}.{feature.name}", "is required")
    return [found.get(name) for name in signature.names]


def reorder_rows(
    rows: list[Any],
    order: list[int | None],
    width: int,
    problems: Problems,
    at: str,
    *,
    max_rows: int,
) -> list[list[Any]]:
    """Put the values of rows in the model's order.

    Parameters
    ----------
    rows : list
        The rows as they were sent.
    order : list of int or None
        From `order_columns`.
    width : int
        How many columns there are.
    problems : Problems
        Where to note rows that are none, or of another length.
    at : str
        Where in the request the rows are.
    max_rows : int
        The most samples that one request may hold.

    Returns
    -------
    list of list
        Without the rows that have a problem.

    Raises
    ------
    BodyTooLarge
        If there are more than `max_rows` rows.
    """
    if len(rows) > max_rows:
        raise BodyTooLarge("A batch", max_rows, "samples")
    in_order = order == list(range(width))
    ordered = []
    for index, row in enumerate(rows):
        if not isinstance(row, list):
            problems.add(f"{at}[{index}]", "must be a list")
        elif len(row) != width:
            problems.add(
                f"{at}[{index}]", f"has {len(row)} values, not {width}: one for each column"
            )
        elif in_order:
            ordered.append(row)
        else:
            ordered.append([None if column is None else row[column] for column in order])
    return ordered


def columns_to_rows(
    columns: Sequence[list[Any]], order: list[int | None], *, max_rows: int
) -> list[list[Any]]:
    """Make rows in the model's order of columns of one length.

    Parameters
    ----------
    columns : sequence of list
        The columns as they were sent.
    order : list of int or None
        From `order_columns`.
    max_rows : int
        The most samples that one request may hold.

    Returns
    -------
    list of list

    Raises
    ------
    BodyTooLarge
        If the columns hold more than `max_rows` values each.
    """
    rows = len(columns[0]) if columns else 0
    if rows > max_rows:
        raise BodyTooLarge("A batch", max_rows, "samples")
    absent = [None] * rows
    by_feature = [absent if column is None else columns[column] for column in order]
    return [list(row) for row in zip(*by_feature, strict=True)]


def within(at: str) -> Callable[[str], str]:
    """Say where the rows are that `chalicelib.samples` knows as ``data``.

    Parameters
    ----------
    at : str
        Their place in the request.

    Returns
    -------
    callable
        For `chalicelib.errors.InvalidRequest.moved`.
    """
    return lambda place: at + place.removeprefix("data")


def within_columns(at: str, column: Callable[[str], str]) -> Callable[[str], str]:
    """Say where the values are that came in columns.

    Parameters
    ----------
    at : str
        The place of all the columns in the request.
    column : callable
        Gives the place of the column that holds a feature.

    Returns
    -------
    callable
        For `chalicelib.errors.InvalidRequest.moved`.
    """

    def place(found_at: str) -> str:
        value = _VALUE.fullmatch(found_at)
        if value is None:
            return at + found_at.removeprefix("data")
        return f"{column(value[2])}[{value[1]}]"

    return place


def named(at: str, name: object) -> str:
    """Give the place of a member of an object.

    Parameters
    ----------
    at : str
        The object's.
    name : object
        The member's name, as it was sent.

    Returns
    -------
    str
    """
    return f"{at}.{shortened(str(name))}"
