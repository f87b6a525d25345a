"""Different transformers for different columns: sklearn.compose."""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer

from training.export.converters.features import Features, join, scale_features
from training.export.converters.registry import transform, transforms


@transforms(ColumnTransformer)
def _column_transformer(transformer: ColumnTransformer, X: Features) -> Features:
    indices = transformer._transformer_to_input_indices
    weights = transformer.transformer_weights or {}
    parts = [
        scale_features(transform(fitted, X.columns(indices[name])), weights.get(name))
        for name, fitted, _ in transformer.transformers_
        if not is_dropped(fitted) and len(indices[name])
    ]
    return join([X.columns([]), *parts])


def is_dropped(transformer: Any) -> bool:
    """Return whether the transformer is ``"drop"``."""
    return isinstance(transformer, str) and transformer == "drop"
