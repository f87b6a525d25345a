"""Select columns by position in an estimator that was fitted on a frame."""

from __future__ import annotations

import copy
from typing import Any

from training.data.fitted_columns import find_column_transformers
from training.data.parts import find_estimators


def select_by_position(estimator: Any) -> Any:
    """Copy a fitted estimator so that it takes a matrix and works on matrices.

    Fitted on a frame, a `ColumnTransformer` selects by name and needs a frame, and transformers
    return frames after ``set_output``; a server has no pandas. The copy expects a matrix with the
    same columns in the same order.
    """
    estimator = copy.deepcopy(estimator)
    for transformer in find_column_transformers(estimator):
        indices = transformer._transformer_to_input_indices
        transformer.transformers_ = [
            (name, fitted, _to_indices(columns, indices[name]))
            for name, fitted, columns in transformer.transformers_
        ]
    for part in find_estimators(estimator):
        vars(part).pop("_sklearn_output_config", None)
    return estimator


def _to_indices(columns: object, indices: list[int]) -> int | list[int]:
    """Return a single index for a single name, which selects a vector and not a matrix."""
    return indices[0] if isinstance(columns, str) else indices
