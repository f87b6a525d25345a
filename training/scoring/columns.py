"""Find the columns of a table that a model takes, and those that are passed through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.inputs.signature import Signature
from chalicelib.inputs.suggestions import did_you_mean
from training.errors import CannotScore, UnreadableTable

NOT_A_FEATURE = "is not a feature of this model"
ROW, PREDICTION = "row", "prediction"


class Columns(NamedTuple):
    """The columns of a table.

    Parameters
    ----------
    names : list of str
        All of them.
    of_features : list of int or None
        The index of each feature's column, in the model's order; None if it has none.
    kept : list of int
        The indices of those that are passed through.
    ignored : list of str
        The names of the others.
    """

    names: list[str]
    of_features: list[int | None]
    kept: list[int]
    ignored: list[str]


def match_columns(
    names: Sequence[str], signature: Signature, keep: Sequence[str] | None
) -> Columns:
    """Match the columns of a table with features, in any order.

    Parameters
    ----------
    names : sequence of str
    signature : Signature
    keep : sequence of str, optional
        The names to pass through; all columns if it is None.

    Raises
    ------
    UnreadableTable
        If a column is missing, duplicated, or misspelt as far as one can tell.
    """
    problems = [
        f"column {name!r} is duplicated"
        for index, name in enumerate(names)
        if name in names[:index] and (name in signature.known_names or keep is None or name in keep)
    ]
    kept = (
        list(range(len(names)))
        if keep is None
        else [names.index(name) for name in keep if name in names]
    )
    problems += [
        f"column {name!r}, of --keep, is missing" for name in keep or () if name not in names
    ]
    absent = [name for name in signature.names if name not in names]
    for name in names:
        if name not in signature.known_names and name not in (keep or ()):
            hint = did_you_mean(name, absent)
            problems += [f"column {name!r} {NOT_A_FEATURE}{hint}"] if hint else []
    problems += [
        f"{feature.name} is required"
        for feature in signature.features
        if feature.required and feature.name in absent
    ]
    if not problems and len(absent) == len(signature.names):
        problems = ["no column is a feature of this model"]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UnreadableTable(f"The columns do not fit the model: {problems[0]}{more}.")
    of_features = [None if name in absent else names.index(name) for name in signature.names]
    used = {*kept, *of_features}
    ignored = [name for index, name in enumerate(names) if index not in used]
    return Columns(list(names), of_features, kept, ignored)


def check_kept(kept: Sequence[str], outputs: Sequence[str]) -> None:
    """Raise `CannotScore` if a column to pass through has the name of another of the output."""
    for index, name in enumerate(kept):
        if name in outputs or name in kept[:index]:
            raise CannotScore(
                f"The output has another column {name!r}: rename it, or do not keep it."
            )
