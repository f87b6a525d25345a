"""Converter of pipelines that are part of another estimator: sklearn.pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
from skl2onnx._parse import _parse_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.pipeline import Pipeline

from training.export.converters.outputs import Outputs
from training.export.converters.registry import convert, converts
from training.export.converters.tensor import Tensor


@converts(Pipeline)
def _pipeline(estimator: Pipeline, X: Tensor) -> Outputs:
    for _, transformer in estimator.steps[:-1]:
        X = _transform(transformer, X)
    return convert(estimator.steps[-1][1], X)


def _transform(transformer: Any, X: Tensor) -> Tensor:
    """Convert a transformer with skl2onnx."""
    if transformer is None or transformer == "passthrough":
        return X
    scope, container = X.graph.scope, X.graph.container
    width = getattr(transformer, "n_features_in_", None)
    source = scope.declare_local_variable("transformed", DoubleTensorType([None, width]))
    container.add_node("Identity", [X.name], source.full_name)
    (target,) = _parse_sklearn(scope, transformer, [source], custom_parsers=None)
    transformed = Tensor(X.graph, target.full_name)
    is_float32 = isinstance(target.type, FloatTensorType)
    return transformed.cast(np.float64) if is_float32 else transformed
