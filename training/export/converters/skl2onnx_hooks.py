"""The functions that make skl2onnx convert classifiers with the converters of this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from skl2onnx.common.data_types import DoubleTensorType, Int64TensorType, StringTensorType
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from training.export.converters.impute import convert_imputer, infer_imputer_shape
from training.export.converters.registry import CONVERTERS
from training.export.converters.tensor import Graph, Tensor


class Hooks(NamedTuple):
    """Functions for `skl2onnx.convert_sklearn`, by the class of the estimator."""

    conversions: dict[type, Callable[..., None]]
    shapes: dict[type, Callable[..., None]]
    parsers: dict[type, Callable[..., list[Any]]]


# What skl2onnx needs for its own classifiers, too.
SKL2ONNX_HOOKS = Hooks({SimpleImputer: convert_imputer}, {SimpleImputer: infer_imputer_shape}, {})


def converter_hooks() -> Hooks:
    """Return the hooks for every registered converter."""
    # skl2onnx takes a pipeline apart itself, and converts its transformers.
    classifiers = [classifier for classifier in CONVERTERS if classifier is not Pipeline]
    return Hooks(
        SKL2ONNX_HOOKS.conversions | dict.fromkeys(classifiers, convert_classifier),
        SKL2ONNX_HOOKS.shapes | dict.fromkeys(classifiers, infer_classifier_shapes),
        dict.fromkeys(classifiers, parse_classifier),
    )


def parse_classifier(scope: Any, estimator: Any, inputs: list[Any], **_: Any) -> list[Any]:
    """Declare the outputs of a classifier; skl2onnx's own parser needs options for each class."""
    operator = scope.declare_local_operator(type(estimator).__name__, estimator)
    operator.inputs = inputs
    operator.outputs.append(scope.declare_local_variable("label", Int64TensorType()))
    operator.outputs.append(scope.declare_local_variable("probabilities", DoubleTensorType()))
    outputs: list[Any] = operator.outputs
    return outputs


def infer_classifier_shapes(operator: Any) -> None:
    """Set the types and shapes of the outputs of a classifier: (samples,), (samples, classes)."""
    classes = operator.raw_operator.classes_
    is_integer = _labels(classes).dtype.kind == "i"
    operator.outputs[0].type = (Int64TensorType if is_integer else StringTensorType)([None])
    operator.outputs[1].type = DoubleTensorType([None, len(classes)])


def convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    """Convert a classifier in float64.

    Raises
    ------
    NotImplementedError
        If a parameter of the classifier is not supported.
    """
    estimator, graph = operator.raw_operator, Graph(scope, container)
    (source,), (label, probabilities) = operator.inputs, operator.outputs
    X = Tensor(graph, source.full_name).cast(np.float64)
    outputs = CONVERTERS[type(estimator)](estimator, X)
    if outputs.probabilities is None and hasattr(estimator, "predict_proba"):
        name = type(estimator).__name__
        raise NotImplementedError(f"the probabilities of {name} are not supported")
    labels = graph.tensor(_labels(estimator.classes_)).take(outputs.class_index, axis=0)
    container.add_node("Identity", [labels.name], label.full_name)
    # skl2onnx needs a second output, which `prune_graph` drops if it is not served.
    second = X if outputs.probabilities is None else outputs.probabilities
    container.add_node("Identity", [second.name], probabilities.full_name)


def _labels(classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return integer classes as int64, others (booleans too) as Python prints them."""
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    return np.array([str(label) for label in classes.tolist()])
