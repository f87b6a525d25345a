"""Writes a fitted classifier as ONNX, with the inputs and outputs that serving gives and takes."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

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
from sklearn.pipeline import Pipeline

from chalicelib.inputs.signature import Signature
from chalicelib.runtimes.onnx_classifier import (
    LABEL_OUTPUT,
    NUMBERS_INPUT,
    PROBABILITIES_OUTPUT,
    TEXTS_INPUT,
)
from training.errors import NotExportable
from training.export.converters import CONVERSIONS, PARSERS, SHAPES, STOCK_CONVERSIONS, STOCK_SHAPES
from training.export.converters.cleanup import OPSETS, tidy
from training.export.converters.lightgbm_xgboost import OPSETS as BOOSTING_OPSETS
from training.export.converters.lightgbm_xgboost import boosting_classifiers

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


class Precision(enum.Enum):
    """What a graph computes in; it is given float64 either way."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"


_FLOATS = {Precision.FLOAT64: DoubleTensorType, Precision.FLOAT32: FloatTensorType}


class Writer(enum.Enum):
    """Who writes the classifier: `training.converters`, or skl2onnx where ours does not know it."""

    OURS = "ours"
    SKL2ONNX = "skl2onnx"


class Way(NamedTuple):
    """A way to write an estimator as ONNX.

    Parameters
    ----------
    precision : Precision
        What the graph computes in.
    form : Form
        How the estimator is given its features.
    writer : Writer
        Who writes the classifier.
    """

    precision: Precision
    form: Form
    writer: Writer

    def __str__(self) -> str:
        """Name it, as in ``onnx float64, one matrix``."""
        by = ", by skl2onnx" if self.writer is Writer.SKL2ONNX else ""
        return f"onnx {self.precision.value}, {self.form.value}{by}"


def ways_for(signature: Signature) -> list[Way]:
    """Give the ways that are worth a try, the best first.

    Parameters
    ----------
    signature : Signature
        What the estimator takes.

    Returns
    -------
    list of Way
    """
    forms = _forms(signature)
    return [
        Way(precision, form, writer)
        for writer in Writer
        for precision in Precision
        for form in forms
    ]


def write_onnx(estimator: Any, signature: Signature, way: Way) -> bytes:
    """Write a fitted classifier as ONNX.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    signature : Signature
        What it takes.
    way : Way
        How.

    Returns
    -------
    bytes
        The file. Its inputs are `NUMBERS_INPUT` and `TEXTS_INPUT`, if it has such features.

    Raises
    ------
    NotExportable
        If it cannot be converted.
    """
    types = _input_types(signature, way)
    ours = way.writer is Writer.OURS
    classifier = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    is_boosting = isinstance(classifier, boosting_classifiers())
    try:
        model = convert_sklearn(
            estimator,
            name="classifier",
            initial_types=types,
            options=None if ours and type(classifier) in PARSERS else {"zipmap": False},
            custom_conversion_functions=CONVERSIONS if ours else STOCK_CONVERSIONS,
            custom_shape_calculators=SHAPES if ours else STOCK_SHAPES,
            custom_parsers=PARSERS if ours else {},
            target_opset=BOOSTING_OPSETS if is_boosting else OPSETS,
        )
        _join_inputs(model, types, signature)
        _name_outputs(model, estimator, signature)
        tidy(model)
        serialized: bytes = model.SerializeToString(deterministic=True)
    except Exception as error:  # a converter may raise anything
        reason = str(error).strip().partition("\n")[0]
        raise NotExportable(
            f"{type(estimator).__name__} cannot be converted to ONNX: {reason}"
        ) from error
    return serialized


def _forms(signature: Signature) -> list[Form]:
    if signature.takes_only_numeric:
        return [Form.MATRIX, Form.COLUMNS]
    kinds = {feature.kind for feature in signature.features}
    forms = [] if "categorical" in kinds else [Form.MATRIX]
    typed = [Form.TYPED_COLUMNS] if kinds & {"integer", "boolean"} else []
    return [*forms, Form.COLUMNS, *typed]


def _input_types(signature: Signature, way: Way) -> list[tuple[str, Any]]:
    number = _FLOATS[way.precision]
    if way.form is Form.MATRIX:
        return [(_MATRIX, number([None, len(signature.features)]))]
    of_kind = {"categorical": StringTensorType}
    if way.form is Form.TYPED_COLUMNS:
        of_kind |= {"integer": Int64TensorType, "boolean": BooleanTensorType}
    return [
        (feature.name, of_kind.get(feature.kind, number)([None, 1]))
        for feature in signature.features
    ]


def _join_inputs(model: Any, types: list[tuple[str, Any]], signature: Signature) -> None:
    """Replace the graph's inputs by `NUMBERS_INPUT` and `TEXTS_INPUT`."""
    graph = model.graph
    nodes = []
    given = {}
    for position, (name, of_type) in enumerate(types):
        # Names of features are anybody's; within the graph they must not meet ours.
        given[name] = f"given_{position}"
        elements = _ELEMENTS[type(of_type)]
        if name == _MATRIX and len(types) == 1 and not signature.text_indices:
            nodes.append(helper.make_node("Cast", [NUMBERS_INPUT], [given[name]], to=elements))
            continue
        is_text = position in signature.text_indices
        positions = signature.text_indices if is_text else signature.number_indices
        index, column = f"index_{position}", f"column_{position}"
        place = np.array([positions.index(position)], dtype=np.int64)
        graph.initializer.append(numpy_helper.from_array(place, index))
        source = TEXTS_INPUT if is_text else NUMBERS_INPUT
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
        (NUMBERS_INPUT, TensorProto.DOUBLE, signature.number_indices),
        (TEXTS_INPUT, TensorProto.STRING, signature.text_indices),
    ):
        if positions:
            graph.input.append(
                helper.make_tensor_value_info(name, elements, [None, len(positions)])
            )


def _name_outputs(model: Any, estimator: Any, signature: Signature) -> None:
    """Leave the outputs that are served, and let the labels be those of scikit-learn as text."""
    graph = model.graph
    outputs = list(graph.output)
    wanted = [LABEL_OUTPUT, PROBABILITIES_OUTPUT] if signature.has_probabilities else [LABEL_OUTPUT]
    renamed = {output.name: name for output, name in zip(outputs, wanted, strict=False)}
    if len(outputs) < len(wanted):
        raise NotExportable("the converted model gives no probabilities")
    classes = np.asarray(estimator.classes_).tolist()
    numbers_only = outputs[0].type.tensor_type.elem_type == TensorProto.INT64
    if numbers_only and any(str(int(label)) != str(label) for label in classes):
        renamed[outputs[0].name] = _LABEL_AS_NUMBER
        outputs[0] = helper.make_tensor_value_info(LABEL_OUTPUT, TensorProto.STRING, [None])
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    if _LABEL_AS_NUMBER in renamed.values():
        graph.node.append(_text_labels(classes))
    del graph.output[:]
    for output, name in zip(outputs, wanted, strict=False):
        output.name = name
        graph.output.append(output)


def _text_labels(classes: list[Any]) -> onnx.NodeProto:
    """Make the node that turns numbers, which skl2onnx makes of booleans and floats, into text."""
    return helper.make_node(
        "LabelEncoder",
        [_LABEL_AS_NUMBER],
        [LABEL_OUTPUT],
        domain="ai.onnx.ml",
        keys_int64s=[int(label) for label in classes],
        values_strings=[str(label) for label in classes],
    )
