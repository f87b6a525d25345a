"""Transformers of other libraries, for which skl2onnx has a converter that somebody registered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from training.artifact import build_artifact
from training.errors import NotExportable

THRESHOLD = 0.1  # no float32


class RoundedThreshold(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer that compares each number with `THRESHOLD`."""

    def fit(self, X: Any, y: Any = None) -> RoundedThreshold:
        """Do nothing: there is nothing to learn."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        """Return 1 above the threshold, else 0."""
        return (X > THRESHOLD).astype(np.float64)


class ExactThreshold(RoundedThreshold):
    """The same, with a converter that compares in float64."""


def _shape(operator: Any) -> None:
    for output in operator.outputs:
        output.type = DoubleTensorType([None, operator.raw_operator.n_features_in_])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    is_exact = type(operator.raw_operator) is not RoundedThreshold
    element_type = TensorProto.DOUBLE if is_exact else TensorProto.FLOAT
    numbers, is_above, constant = map(scope.get_unique_variable_name, ("x", "above", "threshold"))
    container.add_initializer(constant, element_type, [1], [THRESHOLD])
    container.add_node("Cast", operator.inputs[0].full_name, numbers, to=element_type)
    container.add_node("Greater", [numbers, constant], is_above)
    for output in operator.outputs:
        container.add_node("Cast", is_above, output.full_name, to=TensorProto.DOUBLE)


for _cls in (RoundedThreshold, ExactThreshold):
    update_registered_converter(_cls, _cls.__name__, _shape, _convert)


def fit(transformer: Any) -> tuple[Any, Any, Any]:
    """Return a fitted pipeline, and data of which no sample is near the threshold."""
    X = np.random.default_rng(0).normal(size=(200, 2)).round(3) + 0.0005
    y = (X[:, 0] > THRESHOLD).astype(int)
    return make_pipeline(transformer, LogisticRegression()).fit(X, y), X, y


def test_a_step_that_its_converter_rounds_is_found() -> None:
    """No sample of the data shows it; the threshold in float32 is another number."""
    with pytest.raises(NotExportable) as caught:
        build_artifact(*fit(RoundedThreshold()), name="steps")
    first = caught.value.attempts[0]
    assert first.strategy == "onnx float64"
    assert "labels differ" in str(first.rejection)
    assert len(str(caught.value)) <= 300


def test_a_step_that_its_converter_keeps_is_served_by_onnx() -> None:
    """The search finds the step, and no difference."""
    built = build_artifact(*fit(ExactThreshold()), name="steps")
    assert (built.runtime, built.attempts[-1].strategy) == ("onnx", "onnx float64")
