"""Convert a fitted classifier to ONNX, with the inputs and outputs that serving expects."""

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
from training.export.converters import SKL2ONNX_HOOKS, converter_hooks
from training.export.converters.cleanup import OPSETS, prune_graph
from training.export.converters.lightgbm_xgboost import OPSETS as BOOSTING_OPSETS
from training.export.converters.lightgbm_xgboost import boosting_classifiers

_ELEMENT_TYPES = {
    BooleanTensorType: TensorProto.BOOL,
    DoubleTensorType: TensorProto.DOUBLE,
    FloatTensorType: TensorProto.FLOAT,
    Int64TensorType: TensorProto.INT64,
    StringTensorType: TensorProto.STRING,
}
_MATRIX = "matrix"
_NUMERIC_LABEL = "label_as_number"


class Precision(enum.Enum):
    """The type that a graph computes in. Its input is float64 either way."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"


_FLOAT_TYPES = {Precision.FLOAT64: DoubleTensorType, Precision.FLOAT32: FloatTensorType}


class InputLayout(enum.Enum):
    """How the features reach the estimator; not every converter supports every layout."""

    MATRIX = "one matrix"
    COLUMNS = "by column"
    TYPED_COLUMNS = "by typed column"  # integers and booleans are not converted to floats


class Backend(enum.Enum):
    """Which package converts the classifier."""

    CONVERTERS = "converters"  # training.export.converters
    SKL2ONNX = "skl2onnx"


class Strategy(NamedTuple):
    """One way to convert an estimator to ONNX."""

    precision: Precision
    layout: InputLayout
    backend: Backend

    def __str__(self) -> str:
        """Return its name, such as ``onnx float64, one matrix``."""
        suffix = ", skl2onnx" if self.backend is Backend.SKL2ONNX else ""
        return f"onnx {self.precision.value}, {self.layout.value}{suffix}"


def onnx_strategies(signature: Signature) -> list[Strategy]:
    """Return the strategies to try for a signature, the best first."""
    layouts = _layouts(signature)
    return [
        Strategy(precision, layout, backend)
        for backend in Backend
        for precision in Precision
        for layout in layouts
    ]


def write_onnx(estimator: Any, signature: Signature, strategy: Strategy) -> bytes:
    """Convert a fitted classifier to an ONNX file.

    Its inputs are `NUMBERS_INPUT` and `TEXTS_INPUT`, if the signature has such features.

    Raises
    ------
    NotExportable
        If the estimator cannot be converted.
    """
    types = _input_types(signature, strategy)
    hooks = converter_hooks() if strategy.backend is Backend.CONVERTERS else SKL2ONNX_HOOKS
    classifier = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    is_boosting = isinstance(classifier, boosting_classifiers())
    try:
        model = convert_sklearn(
            estimator,
            name="classifier",
            initial_types=types,
            options=None if type(classifier) in hooks.parsers else {"zipmap": False},
            custom_conversion_functions=hooks.conversions,
            custom_shape_calculators=hooks.shapes,
            custom_parsers=hooks.parsers,
            target_opset=BOOSTING_OPSETS if is_boosting else OPSETS,
        )
        _join_inputs(model.graph, types, signature)
        _set_outputs(model.graph, estimator, signature)
        prune_graph(model)
        serialized: bytes = model.SerializeToString(deterministic=True)
    except Exception as error:  # a converter may raise anything
        reason = str(error).strip().partition("\n")[0]
        raise NotExportable(
            f"{type(estimator).__name__} cannot be converted to ONNX: {reason}"
        ) from error
    return serialized


def _layouts(signature: Signature) -> list[InputLayout]:
    if signature.takes_only_numeric:
        return [InputLayout.MATRIX, InputLayout.COLUMNS]
    kinds = {feature.kind for feature in signature.features}
    layouts = [] if "categorical" in kinds else [InputLayout.MATRIX]
    typed = [InputLayout.TYPED_COLUMNS] if kinds & {"integer", "boolean"} else []
    return [*layouts, InputLayout.COLUMNS, *typed]


def _input_types(signature: Signature, strategy: Strategy) -> list[tuple[str, Any]]:
    """Return the name and the type of each input that the estimator is converted with."""
    float_type = _FLOAT_TYPES[strategy.precision]
    if strategy.layout is InputLayout.MATRIX:
        return [(_MATRIX, float_type([None, len(signature.features)]))]
    types = {"categorical": StringTensorType}
    if strategy.layout is InputLayout.TYPED_COLUMNS:
        types |= {"integer": Int64TensorType, "boolean": BooleanTensorType}
    return [
        (feature.name, types.get(feature.kind, float_type)([None, 1]))
        for feature in signature.features
    ]


def _join_inputs(
    graph: onnx.GraphProto, types: list[tuple[str, Any]], signature: Signature
) -> None:
    """Replace the graph's inputs by `NUMBERS_INPUT` and `TEXTS_INPUT`."""
    # Features may have any name, which could be that of another tensor in the graph.
    names = {name: f"feature_{index}" for index, (name, _) in enumerate(types)}
    nodes = []
    for index, (name, input_type) in enumerate(types):
        element_type = _ELEMENT_TYPES[type(input_type)]
        if name == _MATRIX and len(types) == 1 and not signature.text_indices:
            nodes.append(helper.make_node("Cast", [NUMBERS_INPUT], [names[name]], to=element_type))
        else:
            nodes += _select_feature(graph, signature, index, names[name], element_type)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    nodes += graph.node
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    for name, element_type, indices in (
        (NUMBERS_INPUT, TensorProto.DOUBLE, signature.number_indices),
        (TEXTS_INPUT, TensorProto.STRING, signature.text_indices),
    ):
        if indices:
            shape = [None, len(indices)]
            graph.input.append(helper.make_tensor_value_info(name, element_type, shape))


def _select_feature(
    graph: onnx.GraphProto, signature: Signature, index: int, output: str, element_type: int
) -> list[onnx.NodeProto]:
    """Make the nodes that select one feature from the joined inputs, shape (samples, 1)."""
    is_text = index in signature.text_indices
    indices = signature.text_indices if is_text else signature.number_indices
    constant, column = f"index_{index}", f"column_{index}"
    column_index = np.array([indices.index(index)], dtype=np.int64)
    graph.initializer.append(numpy_helper.from_array(column_index, constant))
    if is_text:
        return [helper.make_node("Gather", [TEXTS_INPUT, constant], [output], axis=1)]
    return [
        helper.make_node("Gather", [NUMBERS_INPUT, constant], [column], axis=1),
        helper.make_node("Cast", [column], [output], to=element_type),
    ]


def _set_outputs(graph: onnx.GraphProto, estimator: Any, signature: Signature) -> None:
    """Keep the outputs that are served, with scikit-learn's labels as text."""
    outputs = list(graph.output)
    served = [LABEL_OUTPUT]
    if signature.has_probabilities:
        served.append(PROBABILITIES_OUTPUT)
    if len(outputs) < len(served):
        raise NotExportable("the converted model has no probabilities")
    names = {output.name: name for output, name in zip(outputs, served, strict=False)}
    classes = np.asarray(estimator.classes_).tolist()
    is_integer = outputs[0].type.tensor_type.elem_type == TensorProto.INT64
    needs_text = is_integer and any(str(int(label)) != str(label) for label in classes)
    if needs_text:
        names[outputs[0].name] = _NUMERIC_LABEL
        outputs[0] = helper.make_tensor_value_info(LABEL_OUTPUT, TensorProto.STRING, [None])
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    if needs_text:
        graph.node.append(_label_encoder(classes))
    del graph.output[:]
    for output, name in zip(outputs, served, strict=False):
        output.name = name
        graph.output.append(output)


def _label_encoder(classes: list[Any]) -> onnx.NodeProto:
    """Make the node that maps the integers skl2onnx makes of booleans and floats to text."""
    return helper.make_node(
        "LabelEncoder",
        [_NUMERIC_LABEL],
        [LABEL_OUTPUT],
        domain="ai.onnx.ml",
        keys_int64s=[int(label) for label in classes],
        values_strings=[str(label) for label in classes],
    )
