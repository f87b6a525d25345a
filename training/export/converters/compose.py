"""Different transformers for different columns: sklearn.compose."""

from __future__ import annotations

from sklearn.compose import ColumnTransformer

from training.export.converters.features import Features, join
from training.export.converters.registry import transform, transforms


@transforms(ColumnTransformer)
def _column_transformer(transformer: ColumnTransformer, X: Features) -> Features:
    indices = transformer._transformer_to_input_indices
    parts = [
        transform(fitted, X.columns(indices[name]))
        for name, fitted, _ in transformer.transformers_
        if fitted != "drop" and len(indices[name])
    ]
    return join([X.columns([]), *parts])
