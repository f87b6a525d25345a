"""Pipelines and unions: sklearn.pipeline, and imblearn.pipeline, whose samplers do not predict."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import FeatureUnion, Pipeline

from training.export.converters.features import Features, join, scale_features
from training.export.converters.outputs import Outputs
from training.export.converters.registry import convert, delegates, transform, transforms
from training.export.converters.sparsity import returns_sparse


@delegates(Pipeline, "imblearn.pipeline.Pipeline")
def _pipeline(estimator: Pipeline, X: Features) -> Outputs:
    return convert(estimator.steps[-1][1], _transform_steps(estimator.steps[:-1], X))


@transforms(Pipeline, "imblearn.pipeline.Pipeline")
def _transformer_pipeline(estimator: Pipeline, X: Features) -> Features:
    return _transform_steps(estimator.steps, X)


def _transform_steps(steps: list[tuple[str, Any]], X: Features) -> Features:
    for _, step in steps:
        if not hasattr(step, "fit_resample"):  # imbalanced-learn's samplers act on fit only
            is_sparse = returns_sparse(step, X.is_sparse)
            X = transform(step, X)
            X = X.columns(range(len(X)))
            X.is_sparse = is_sparse
    return X


@transforms(FeatureUnion)
def _feature_union(union: FeatureUnion, X: Features) -> Features:
    weights = union.transformer_weights or {}
    parts = [
        scale_features(transform(transformer, X), weights.get(name))
        for name, transformer in union.transformer_list
    ]
    return join(parts)
