"""Writes a fitted classifier as ONNX, with the inputs and outputs that serving gives and takes."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)

from chalicelib.onnx_classifier import LABEL, NUMBERS, PROBABILITIES, TEXTS
from chalicelib.signature import Signature
from training.converters import CONVERSIONS, SHAPES
from training.errors import ExportRefused

_FLOATS: dict[type, Any] = {np.float64: DoubleTensorType, np.float32: FloatTensorType}
_ELEMENTS = {
    BooleanTensorType: TensorProto.BOOL,
    DoubleTensorType: TensorProto.DOUBLE,
    FloatTensorType: TensorProto.FLOAT,
    Int64TensorType: TensorProto.INT64,
    StringTensorType: TensorProto.STRING,
}
_MATRIX = "matrix"
_LABEL_AS_NUMBER = "label_as_number"


class Form(enum.Enum):
    """How an estimator is given its features: not every converter takes every form."""

    MATRIX = "one matrix"
    COLUMNS = "by column"
    TYPED_COLUMNS = "by column, each of its type"


def forms_for(signature: Signature) -> list[Form]:
    """Give the forms that are worth a try.

    Parameters
    ----------
    signature : Signature
        What the estimator takes.

    Returns
    -------
    list of Form
    """
    if signature.takes_only_numeric:
        return [Form.MATRIX, Form.COLUMNS]
    kinds = {feature.kind for feature in signature.features}
    forms = [] if "categorical" in kinds else [Form.MATRIX]
    typed = [Form.TYPED_COLUMNS] if kinds & {"integer", "boolean"} else []
    return [*forms, Form.COLUMNS, *typed]


def write_onnx(estimator: Any, signature: Signature, dtype: type, form: Form) -> bytes:
    """Write a fitted classifier as ONNX.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    signature : Signature
        What it takes.
    dtype : type
        What it computes in: `numpy.float64` or `numpy.float32`.
    form : Form
        How it is given its features.

    Returns
    -------
    bytes
        The file. Its inputs are `NUMBERS` and `TEXTS`, as far as there are such features.

    Raises
    ------
    ExportRefused
        If it cannot be converted.
    """
    types = _input_types(signature, dtype, form)
    try:
        model = convert_sklearn(
            estimator,
            name="classifier",
            initial_types=types,
            options={"zipmap": False},
            custom_conversion_functions=CONVERSIONS,
            custom_shape_calculators=SHAPES,
        )
        _join_inputs(model, types, signature)
        _name_outputs(model, estimator, signature)
        serialized: bytes = model.SerializeToString(deterministic=True)
    except Exception as error:  # a converter may raise anything
        reason = str(error).strip().partition("\n")[0]
        raise ExportRefused(
            f"{type(estimator).__name__} cannot be converted to ONNX: {reason}"
        ) from error
    return serialized


def _input_types(signature: Signature, dtype: type, form: Form) -> list[tuple[str, Any]]:
    number = _FLOATS[dtype]
    if form is Form.MATRIX:
        return [(_MATRIX, number([None, len(signature.features)]))]
    of_kind = {"categorical": StringTensorType}
    if form is Form.TYPED_COLUMNS:
        of_kind |= {"integer": Int64TensorType, "boolean": BooleanTensorType}
    return [
        (feature.name, of_kind.get(feature.kind, number)([None, 1]))
        for feature in signature.features
    ]


def _join_inputs(model: Any, types: list[tuple[str, Any]], signature: Signature) -> None:
    """Give the graph the inputs `NUMBERS` and `TEXTS` in place of those it was converted with."""
    graph = model.graph
    nodes = []
    given = {}
    for position, (name, of_type) in enumerate(types):
        # Names of features are anybody's; within the graph they must not meet ours.
        given[name] = f"given_{position}"
        elements = _ELEMENTS[type(of_type)]
        if name == _MATRIX and len(types) == 1 and not signature.text_positions:
            nodes.append(helper.make_node("Cast", [NUMBERS], [given[name]], to=elements))
            continue
        is_text = position in signature.text_positions
        positions = signature.text_positions if is_text else signature.number_positions
        index, column = f"index_{position}", f"column_{position}"
        place = np.array([positions.index(position)], dtype=np.int64)
        graph.initializer.append(numpy_helper.from_array(place, index))
        source = TEXTS if is_text else NUMBERS
        output = given[name] if is_text else column
        nodes.append(helper.make_node("Gather", [source, index], [output], axis=1))
        if not is_text:
            nodes.append(helper.make_node("Cast", [column], [given[name]], to=elements))
    for node in graph.node:
        node.input[:] = [given.get(name, name) for name in node.input]
    rest = list(graph.node)
    del graph.node[:], graph.input[:]
    graph.node.extend([*nodes, *rest])
    for name, elements, positions in (
        (NUMBERS, TensorProto.DOUBLE, signature.number_positions),
        (TEXTS, TensorProto.STRING, signature.text_positions),
    ):
        if positions:
            graph.input.append(
                helper.make_tensor_value_info(name, elements, [None, len(positions)])
            )


def _name_outputs(model: Any, estimator: Any, signature: Signature) -> None:
    """Leave the outputs that are served, and let the labels be those of scikit-learn as text."""
    graph = model.graph
    outputs = list(graph.output)
    wanted = [LABEL, PROBABILITIES] if signature.has_probabilities else [LABEL]
    renamed = {output.name: name for output, name in zip(outputs, wanted, strict=False)}
    if len(outputs) < len(wanted):
        raise ExportRefused("the converted model gives no probabilities")
    classes = np.asarray(estimator.classes_).tolist()
    numbers_only = outputs[0].type.tensor_type.elem_type == TensorProto.INT64
    if numbers_only and any(str(int(label)) != str(label) for label in classes):
        renamed[outputs[0].name] = _LABEL_AS_NUMBER
        outputs[0] = helper.make_tensor_value_info(LABEL, TensorProto.STRING, [None])
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    if _LABEL_AS_NUMBER in renamed.values():
        graph.node.append(_text_labels(classes))
        _import_ml(model)
    del graph.output[:]
    for output, name in zip(outputs, wanted, strict=False):
        output.name = name
        graph.output.append(output)


def _text_labels(classes: list[Any]) -> onnx.NodeProto:
    """Make the node that turns numbers, which skl2onnx makes of booleans and floats, into text."""
    return helper.make_node(
        "LabelEncoder",
        [_LABEL_AS_NUMBER],
        [LABEL],
        domain="ai.onnx.ml",
        keys_int64s=[int(label) for label in classes],
        values_strings=[str(label) for label in classes],
    )


def _import_ml(model: Any) -> None:
    for opset in model.opset_import:
        if opset.domain == "ai.onnx.ml":
            opset.version = max(opset.version, 2)  # since when LabelEncoder maps numbers to text
            return
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 2))
