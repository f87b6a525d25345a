"""Lets an estimator that was fitted on a frame take its columns by position."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer


def taking_columns_by_position(estimator: Any) -> Any:
    """Copy a fitted estimator and let every `ColumnTransformer` in it select by position.

    One that was fitted on a frame selects by name, for which it needs a frame; a server has none,
    because it has no pandas.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    estimator
        A copy, which takes a matrix with the same columns in the same order.
    """
    estimator = copy.deepcopy(estimator)
    for transformer in _column_transformers(estimator, seen=set()):
        positions = transformer._transformer_to_input_indices
        transformer.transformers_ = [
            (name, fitted, _like(columns, positions[name]))
            for name, fitted, columns in transformer.transformers_
        ]
    return estimator


def _like(columns: object, positions: list[int]) -> int | list[int]:
    """Give one position for one name, since that selects a vector and not a matrix."""
    return positions[0] if isinstance(columns, str) else positions


def _column_transformers(held: Any, seen: set[int]) -> Iterator[ColumnTransformer]:
    """Find every fitted `ColumnTransformer` in an estimator, however deep."""
    if id(held) in seen:
        return
    seen.add(id(held))
    if isinstance(held, ColumnTransformer) and hasattr(held, "transformers_"):
        yield held
    if isinstance(held, BaseEstimator):
        parts = list(vars(held).values())
    elif isinstance(held, dict):
        parts = list(held.values())
    elif isinstance(held, (list, tuple)):
        parts = list(held)
    else:
        return
    for part in parts:
        yield from _column_transformers(part, seen)
