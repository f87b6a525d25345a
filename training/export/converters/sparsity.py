"""Which transformers return a sparse matrix, in which XGBoost regards zeros as missing.

The graph's matrices are dense. A transformer's output is sparse or not by its own parameters, or as
its input is.
"""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import SelectorMixin
from sklearn.neighbors import KNeighborsTransformer, RadiusNeighborsTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    Normalizer,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

_ALWAYS_SPARSE = (CountVectorizer, TfidfTransformer, TfidfVectorizer)

# These return zero for zero, and a sparse matrix for one.
_AS_THEIR_INPUT = (MaxAbsScaler, Normalizer, RobustScaler, SelectorMixin, StandardScaler)


def returns_sparse(transformer: Any, input_is_sparse: bool | None) -> bool | None:
    """Return whether a fitted transformer's output is sparse; None if that is not known."""
    if transformer in (None, "passthrough", "drop") or isinstance(transformer, _AS_THEIR_INPUT):
        return input_is_sparse
    if isinstance(transformer, ColumnTransformer):
        return _column_transformer_returns_sparse(transformer, input_is_sparse)
    if isinstance(transformer, _ALWAYS_SPARSE):
        return True
    if isinstance(transformer, (KNeighborsTransformer, RadiusNeighborsTransformer)):
        return None  # sparse, but it stores a distance of zero
    if isinstance(transformer, HashingVectorizer):  # counts of two signs may store a zero
        return None if transformer.alternate_sign else True
    if isinstance(transformer, OneHotEncoder):
        return bool(transformer.sparse_output)
    if isinstance(transformer, KBinsDiscretizer):
        return bool(transformer.encode == "onehot")
    if isinstance(transformer, Pipeline):
        for _, step in transformer.steps:
            input_is_sparse = returns_sparse(step, input_is_sparse)
        return input_is_sparse
    if isinstance(transformer, FeatureUnion):
        return _union_returns_sparse(transformer, input_is_sparse)
    if getattr(transformer, "sparse_output", False) is True:
        return True
    return False if input_is_sparse is False else None


def _column_transformer_returns_sparse(
    transformer: ColumnTransformer, input_is_sparse: bool | None
) -> bool | None:
    if not transformer.sparse_output_:
        return False
    parts = [returns_sparse(part, input_is_sparse) for _, part, _ in transformer.transformers_]
    return None if None in parts else True


def _union_returns_sparse(union: FeatureUnion, input_is_sparse: bool | None) -> bool | None:
    """Return True if any part is sparse, as a union does."""
    parts = [returns_sparse(part, input_is_sparse) for _, part in union.transformer_list]
    return True if True in parts else None if None in parts else False
