"""Convert a fitted classifier to ONNX, with the input and outputs that serving expects."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

import training.export.converters  # noqa: F401 (registers the converters)
from chalicelib.inputs.signature import Signature
from chalicelib.runtimes.onnx_classifier import (
    CLASS_INDEX_OUTPUT,
    PROBABILITIES_OUTPUT,
    SAMPLES_INPUT,
)
from training.errors import NotExportable
from training.export.converters.cleanup import OPSETS, prune_graph
from training.export.converters.features import Features, NumberColumn, TextColumn
from training.export.converters.registry import convert
from training.export.converters.tensor import ML_DOMAIN, Graph, Tensor, concatenate
from training.export.converters.tree import round_to_float32
from training.export.runtime_model import RuntimeModel

_IR_VERSION = 10  # of ONNX 1.16, the first with opset 21
_ML_OPSET = 3  # the first whose LabelEncoder maps integers to integers
_PREFIX = "converted_"


class Strategy(enum.Enum):
    """One way to convert an estimator to ONNX, the best first."""

    CONVERTERS = "onnx float64"  # training.export.converters
    SKL2ONNX_FLOAT64 = "onnx float64, skl2onnx"
    SKL2ONNX_FLOAT32 = "onnx float32, skl2onnx"


def onnx_strategies(signature: Signature) -> list[Strategy]:
    """Return the strategies to try for a signature, the best first."""
    return [Strategy.CONVERTERS] if signature.text_indices else list(Strategy)


def write_onnx(
    estimator: Any,
    signature: Signature,
    strategy: Strategy,
    missing_texts: dict[int, Any],
    *,
    float32_features: Collection[int] = (),
) -> RuntimeModel:
    """Convert a fitted classifier.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    signature : Signature
    strategy : Strategy
    missing_texts : dict
        The value of a missing text, None or NaN, by the index of its feature.
    float32_features : collection of int, optional
        Indices of the features that are float32 in the frame that the estimator was fitted on.

    Returns
    -------
    RuntimeModel
        Its input is `SAMPLES_INPUT`, float64 of shape (samples, numbers and encoded texts); its
        outputs are `CLASS_INDEX_OUTPUT`, int64 of shape (samples,), and `PROBABILITIES_OUTPUT`,
        float64 of shape (samples, classes), if the signature has probabilities.

    Raises
    ------
    NotExportable
        If the estimator cannot be converted.
    """
    name = type(estimator).__name__
    try:
        if strategy is Strategy.CONVERTERS:
            return _write_with_converters(estimator, signature, missing_texts, float32_features)
        return RuntimeModel(_write_with_skl2onnx(estimator, signature, strategy), [])
    except NotExportable:
        raise
    except Exception as error:  # a converter may raise anything
        reason = str(error).strip().partition("\n")[0]
        raise NotExportable(f"{name} cannot be converted to ONNX: {reason}") from error


def _write_with_converters(
    estimator: Any,
    signature: Signature,
    missing_texts: dict[int, Any],
    float32_features: Collection[int],
) -> RuntimeModel:
    graph = Graph(len(signature.number_indices))
    graph.input.width = len(signature.number_indices) if not signature.text_indices else None
    columns: list[Any] = []
    for index in range(len(signature.features)):
        if index in missing_texts:
            columns.append(TextColumn(graph, index, missing_texts[index]))
            continue
        number = signature.number_indices.index(index)
        if index in float32_features:
            columns.append(NumberColumn(round_to_float32(graph.input.column(number)), 0))
        else:
            columns.append(NumberColumn(graph.input, number))
    for index in signature.unused_columns:  # in ascending order
        columns.insert(index, NumberColumn(graph.tensor(np.full((1, 1), np.nan)), 0))
    outputs = convert(estimator, Features(graph, columns))
    tensors = {CLASS_INDEX_OUTPUT: outputs.class_index}
    if signature.has_probabilities:
        if outputs.probabilities is None:
            raise NotExportable(
                f"the probabilities of {type(estimator).__name__} are not supported"
            )
        tensors[PROBABILITIES_OUTPUT] = _reject(graph, outputs.probabilities)
    elif graph.rejects_small_values:
        raise NotExportable("a transformer rejects some values, and there are no probabilities")
    for output, tensor in tensors.items():
        graph.nodes.append(helper.make_node("Identity", [tensor.name], [output]))
    # Of a table, such as that of a forest's leaves, a sample takes a few rows.
    tables = {node.input[0] for node in graph.nodes if node.op_type == "Gather"}
    computed = (t.dims for t in graph.initializers if len(t.dims) > 1 and t.name not in tables)
    row_values = max(map(max, computed), default=0)
    data = _serialize(graph.nodes, graph.initializers, _samples_input(graph.width), signature)
    graph.clear()
    return RuntimeModel(data, graph.text_encoders, row_values)


def _reject(graph: Graph, probabilities: Tensor) -> Tensor:
    """Make the probabilities of rejected samples NaN."""
    if not graph.rejections:
        return probabilities
    is_invalid = concatenate([each.cast(np.float64) for each in graph.rejections]).sum() > 0.0
    return is_invalid.where(np.nan, probabilities)


def _write_with_skl2onnx(estimator: Any, signature: Signature, strategy: Strategy) -> bytes:
    is_float64 = strategy is Strategy.SKL2ONNX_FLOAT64
    width = len(signature.features)
    float_type = DoubleTensorType if is_float64 else FloatTensorType
    model = convert_sklearn(
        estimator,
        name="classifier",
        initial_types=[("features", float_type([None, width]))],
        options={"zipmap": False} if signature.has_probabilities else None,
        target_opset=OPSETS,
    )
    # Served outputs have names of their own.
    graph = compose.add_prefix_graph(model.graph, _PREFIX)
    label, *probabilities = graph.output
    if signature.has_probabilities and not probabilities:
        raise NotExportable("the converted model has no probabilities")
    element_type = TensorProto.DOUBLE if is_float64 else TensorProto.FLOAT
    nodes = [helper.make_node("Cast", [SAMPLES_INPUT], [f"{_PREFIX}features"], to=element_type)]
    nodes += [*graph.node, _class_index_encoder(label, estimator)]
    if signature.has_probabilities:
        source, cast = probabilities[0].name, TensorProto.DOUBLE
        nodes.append(helper.make_node("Cast", [source], [PROBABILITIES_OUTPUT], to=cast))
    opsets = {opset.domain: opset.version for opset in model.opset_import}
    opsets[ML_DOMAIN] = max(_ML_OPSET, opsets.get(ML_DOMAIN, 0))
    return _serialize(nodes, graph.initializer, _samples_input(width), signature, opsets)


def _class_index_encoder(label: onnx.ValueInfoProto, estimator: Any) -> onnx.NodeProto:
    """Make the node that maps skl2onnx's labels, integers or texts, to class indices."""
    classes = np.asarray(estimator.classes_).tolist()
    keys: dict[str, Any] = {"keys_strings": [str(label) for label in classes]}
    if label.type.tensor_type.elem_type == TensorProto.INT64:
        keys = {"keys_int64s": [int(label) for label in classes]}
    return helper.make_node(
        "LabelEncoder",
        [label.name],
        [CLASS_INDEX_OUTPUT],
        domain=ML_DOMAIN,
        values_int64s=list(range(len(classes))),
        **keys,
    )


def _samples_input(width: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(SAMPLES_INPUT, TensorProto.DOUBLE, [None, width])


def _served_outputs(signature: Signature) -> list[onnx.ValueInfoProto]:
    outputs = [helper.make_tensor_value_info(CLASS_INDEX_OUTPUT, TensorProto.INT64, [None])]
    if signature.has_probabilities:
        shape = [None, len(signature.classes)]
        outputs.append(
            helper.make_tensor_value_info(PROBABILITIES_OUTPUT, TensorProto.DOUBLE, shape)
        )
    return outputs


def _serialize(
    nodes: Iterable[onnx.NodeProto],
    constants: Iterable[onnx.TensorProto],
    samples: onnx.ValueInfoProto,
    signature: Signature,
    opsets: dict[str, int] = OPSETS,
) -> bytes:
    model = helper.make_model(
        onnx.GraphProto(name="classifier"),
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in opsets.items()],
        ir_version=_IR_VERSION,
        producer_name="wine-classifier",
    )
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(constants)
    model.graph.input.append(samples)
    model.graph.output.extend(_served_outputs(signature))
    prune_graph(model)
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized
