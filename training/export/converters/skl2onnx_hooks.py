"""Lets skl2onnx write a classifier with the formulas of this package."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from skl2onnx.common.data_types import DoubleTensorType, Int64TensorType, StringTensorType

from training.export.converters.registry import WRITERS
from training.export.converters.tensor import Graph, Tensor


def labels_of(classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give the labels that the graph answers with.

    Parameters
    ----------
    classes : numpy.ndarray
        An estimator's `classes_`.

    Returns
    -------
    numpy.ndarray of int64 or str
        Integers as they are, anything else (booleans too) as Python prints it.
    """
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    return np.array([str(each) for each in classes.tolist()])


def parse_classifier(scope: Any, estimator: Any, inputs: list[Any], **_: Any) -> list[Any]:
    """Declare a classifier's outputs.

    skl2onnx's own way depends on the options that it knows for each classifier; we have none.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
        What it is declared in.
    estimator : classifier
        Fitted.
    inputs : list of skl2onnx.common._topology.Variable
        The samples.
    **_ : object
        Other parsers, which a classifier does not need.

    Returns
    -------
    list of skl2onnx.common._topology.Variable
    """
    operator = scope.declare_local_operator(type(estimator).__name__, estimator)
    operator.inputs = inputs
    operator.outputs.append(scope.declare_local_variable("label", Int64TensorType()))
    operator.outputs.append(scope.declare_local_variable("probabilities", DoubleTensorType()))
    outputs: list[Any] = operator.outputs
    return outputs


def classifier_shape(operator: Any) -> None:
    """Say what a classifier's outputs are.

    Parameters
    ----------
    operator : skl2onnx.common._topology.Operator
        With a fitted estimator in it.
    """
    classes = operator.raw_operator.classes_
    is_integer = labels_of(classes).dtype.kind == "i"
    operator.outputs[0].type = (Int64TensorType if is_integer else StringTensorType)([None])
    operator.outputs[1].type = DoubleTensorType([None, len(classes)])


def convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    """Write a classifier in float64.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
        What gives names.
    operator : skl2onnx.common._topology.Operator
        With a fitted estimator in it.
    container : skl2onnx.common._container.ModelComponentContainer
        What takes the nodes.

    Raises
    ------
    NotImplementedError
        If it is fitted with parameters that are not written.
    """
    estimator, graph = operator.raw_operator, Graph(scope, container)
    (source,), (label, probabilities) = operator.inputs, operator.outputs
    X = Tensor(graph, source.full_name).cast(np.float64)
    said = WRITERS[type(estimator)](estimator, X)
    if said.probabilities is None and hasattr(estimator, "predict_proba"):
        raise NotImplementedError(f"the probabilities of {type(estimator).__name__}")
    labels = graph.tensor(labels_of(estimator.classes_)).take(said.predicted, axis=0)
    container.add_node("Identity", [labels.name], label.full_name)
    # skl2onnx wants a second output, even if `finish` drops it.
    second = X if said.probabilities is None else said.probabilities
    container.add_node("Identity", [second.name], probabilities.full_name)
