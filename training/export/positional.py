"""Select columns by position in an estimator that was fitted on a frame."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer


def select_by_position(estimator: Any) -> Any:
    """Copy a fitted estimator so that each `ColumnTransformer` in it selects by position.

    Fitted on a frame it selects by name and needs a frame; a server has no pandas. The copy
    expects a matrix with the same columns in the same order.
    """
    estimator = copy.deepcopy(estimator)
    for transformer in _column_transformers(estimator, seen=set()):
        indices = transformer._transformer_to_input_indices
        transformer.transformers_ = [
            (name, fitted, _to_indices(columns, indices[name]))
            for name, fitted, columns in transformer.transformers_
        ]
    return estimator


def _to_indices(columns: object, indices: list[int]) -> int | list[int]:
    """Return a single index for a single name, which selects a vector and not a matrix."""
    return indices[0] if isinstance(columns, str) else indices


def _column_transformers(value: Any, seen: set[int]) -> Iterator[ColumnTransformer]:
    """Yield every fitted `ColumnTransformer` in an estimator, at any depth."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, ColumnTransformer) and hasattr(value, "transformers_"):
        yield value
    if isinstance(value, BaseEstimator):
        parts = list(vars(value).values())
    elif isinstance(value, dict):
        parts = list(value.values())
    elif isinstance(value, (list, tuple)):
        parts = list(value)
    else:
        return
    for part in parts:
        yield from _column_transformers(part, seen)
