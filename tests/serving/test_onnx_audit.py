"""What the audit of ONNX files accepts: each field, size and depth, and nothing beyond."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    OperatorSetIdProto,
    TensorProto,
    helper,
    numpy_helper,
)

from chalicelib.errors import InvalidArtifact
from chalicelib.runtimes import onnx_audit
from chalicelib.runtimes.onnx_audit import MAX_SUBGRAPH_DEPTH, audit

ALLOWED: dict[Any, str] = {
    ModelProto: "ir_version opset_import producer_name producer_version domain model_version"
    " doc_string graph metadata_props",
    OperatorSetIdProto: "domain version",
    GraphProto: "node name initializer doc_string input output value_info",
    NodeProto: "input output name op_type domain attribute doc_string",
    AttributeProto: "name f i s t g floats ints strings doc_string type",
    TensorProto: "dims data_type float_data int32_data int64_data name raw_data double_data"
    " doc_string",
}
FIELDS = [(message, field) for message in ALLOWED for field in message.DESCRIPTOR.fields]
UNKNOWN_FIELDS = (16, 99, 1_000)

FIXED_ITEMS = {
    TensorProto.FLOAT: 4,
    TensorProto.UINT8: 1,
    TensorProto.INT8: 1,
    TensorProto.INT32: 4,
    TensorProto.INT64: 8,
    TensorProto.BOOL: 1,
    TensorProto.DOUBLE: 8,
}
OTHER_TYPES = sorted(set(TensorProto.DataType.values()) - set(FIXED_ITEMS))


def classifier(node: NodeProto | None = None, tensor: TensorProto | None = None) -> ModelProto:
    """Return a model of one node, with a constant."""
    x = helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, 2])
    node = node or helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "g", [x], [], [] if tensor is None else [tensor])
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    return helper.make_model(graph, opset_imports=opsets)


def rejection(model: ModelProto | bytes) -> str:
    """Return why a model is rejected; "" if it is not."""
    try:
        audit(model if isinstance(model, bytes) else model.SerializeToString())
    except InvalidArtifact as error:
        return f"{error.reason}: {error}"
    return ""


def with_message(message: Any) -> ModelProto:
    """Return a model that holds a message."""
    model = classifier()
    if isinstance(message, ModelProto):
        model.MergeFrom(message)
    elif isinstance(message, OperatorSetIdProto):
        model.opset_import.append(message)
    elif isinstance(message, GraphProto):
        model.graph.MergeFrom(message)
    elif isinstance(message, NodeProto):
        model.graph.node[0].MergeFrom(message)
    elif isinstance(message, AttributeProto):
        model.graph.node[0].attribute.append(message)
    else:
        model.graph.initializer.append(message)
    return model


def with_field(message_type: Any, field: Any) -> ModelProto:
    """Return a model in which a message has a field."""
    message = message_type()
    value = getattr(message, field.name)
    if hasattr(value, "add"):
        value.add()
    elif hasattr(value, "SetInParent"):
        value.SetInParent()
    elif hasattr(value, "append"):
        texts = {"input": "a", "output": "a", "strings": b"a", "string_data": b"a"}
        value.append(texts.get(field.name, 1))
    else:
        setattr(message, field.name, type(value)(1) if isinstance(value, int | float) else b"a")
    return with_message(message)


@pytest.mark.parametrize(
    ("message", "field"), FIELDS, ids=lambda each: getattr(each, "name", None) or each.__name__
)
def test_a_field_is_accepted_if_the_exporter_may_write_it(message: Any, field: Any) -> None:
    """Of each message; what else is wrong with so small a message has another reason."""
    is_rejected = "a field that is not allowed" in rejection(with_field(message, field))
    assert is_rejected is (field.name not in ALLOWED[message].split())


@pytest.mark.parametrize("message", ALLOWED, ids=lambda each: each.__name__)
@pytest.mark.parametrize("number", UNKNOWN_FIELDS)
def test_a_field_of_a_later_version_of_onnx_is_rejected(message: Any, number: int) -> None:
    """Nothing is known of what it does."""
    key = number << 3
    unknown = bytes([key & 127 | 128, key >> 7, 1])
    changed = with_message(message.FromString(unknown))
    assert "a field that is not allowed" in rejection(changed)


@pytest.mark.parametrize(("data_type", "size"), FIXED_ITEMS.items())
def test_a_tensor_holds_as_many_bytes_as_its_shape_needs(data_type: int, size: int) -> None:
    """Of the type's size each; neither more nor fewer, and no half ones."""
    large = TensorProto(name="c", dims=[999], data_type=data_type, raw_data=bytes(999 * size))
    assert rejection(classifier(tensor=large)) == ""
    for count in range(3 * size - 1, 3 * size + 2):
        tensor = TensorProto(name="c", dims=[3], data_type=data_type, raw_data=bytes(count))
        assert (rejection(classifier(tensor=tensor)) == "") is (count == 3 * size), count


@pytest.mark.parametrize("data_type", [*OTHER_TYPES, 99])
def test_a_tensor_of_another_type_is_rejected(data_type: int) -> None:
    """The exporter writes none."""
    tensor = TensorProto(name="c", dims=[0], raw_data=b"")
    model = classifier(tensor=tensor).SerializeToString()
    assert rejection(model) != ""
    tensor.data_type = data_type
    assert "holds no numbers" in rejection(classifier(tensor=tensor))


@pytest.mark.parametrize(
    ("field", "data_type"),
    [
        ("float_data", TensorProto.FLOAT),
        ("double_data", TensorProto.DOUBLE),
        ("int32_data", TensorProto.INT32),
        ("int32_data", TensorProto.BOOL),
        ("int64_data", TensorProto.INT64),
    ],
)
def test_a_tensor_holds_as_many_numbers_as_its_shape_needs(field: str, data_type: int) -> None:
    """Small ones and large ones, which take more bytes."""
    many: dict[str, Any] = {field: [1] * 999}
    large = TensorProto(name="c", dims=[999], data_type=data_type, **many)
    assert rejection(classifier(tensor=large)) == ""
    for value in (0, 1, 127, 128, 300, 2**31 - 1):
        for count in (2, 3, 4):
            numbers: dict[str, Any] = {field: [value] * count}
            tensor = TensorProto(name="c", dims=[3], data_type=data_type, **numbers)
            assert (rejection(classifier(tensor=tensor)) == "") is (count == 3), (value, count)


def test_a_shape_has_any_number_of_dimensions() -> None:
    """The product counts; a tensor without any is one number."""
    for dims, count in ([], 1), ([0], 0), ([2, 3], 6), ([2, 0, 9], 0), ([1, 1, 1, 7], 7):
        for data in (count, count + 1):
            tensor = TensorProto(name="c", dims=dims, data_type=2, raw_data=bytes(data))
            assert (rejection(classifier(tensor=tensor)) == "") is (data == count), dims


def nested(depth: int) -> ModelProto:
    """Return a model with a graph in a graph in a graph."""
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [], [])
    for _ in range(depth - 1):
        node = helper.make_node("Scan", ["x"], ["y"], body=graph, num_scan_inputs=1)
        graph = helper.make_graph([node], "g", [], [])
    return classifier(helper.make_node("Scan", ["x"], ["y"], body=graph, num_scan_inputs=1))


def test_graphs_are_nested_to_a_limit() -> None:
    """Each deeper one is a call more on the stack."""
    assert "nested too deep" not in rejection(nested(MAX_SUBGRAPH_DEPTH))
    assert "nested too deep" in rejection(nested(MAX_SUBGRAPH_DEPTH + 1))


def test_two_constants_of_one_name_are_rejected() -> None:
    """Their sizes would be confused; those of different names are accepted."""
    model = classifier(tensor=numpy_helper.from_array(np.zeros(2), "a"))
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(2), "b"))
    assert rejection(model) == ""
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(3), "a"))
    assert "two constants have the same name" in rejection(model)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tensors": 2}, "more than one value"),
        ({"graphs": 2}, "more than one value"),
        ({"tensors": 1}, ""),
        ({"graphs": 1}, ""),
    ],
)
def test_an_attribute_holds_one_tensor_or_one_graph(changes: dict[str, int], reason: str) -> None:
    """Protobuf would merge two of them; the lists of several are not allowed at all."""
    attribute = AttributeProto(name="any")
    data = attribute.SerializeToString()
    tensor = numpy_helper.from_array(np.zeros(1)).SerializeToString()
    graph = helper.make_graph([], "g", [], []).SerializeToString()
    for key, content, count in ((0x2A, tensor, "tensors"), (0x32, graph, "graphs")):
        data += (bytes([key, len(content)]) + content) * changes.get(count, 0)
    node = helper.make_node("Identity", ["x"], ["y"]).SerializeToString()
    node += bytes([0x2A, len(data)]) + data
    assert reason in rejection(_with_node(node))
    assert (rejection(_with_node(node)) == "") is (reason == "")


def _with_node(node: bytes) -> bytes:
    """Return a model of a node that protobuf's own library would write in another way."""
    graph: bytes = bytes([0x0A, len(node)]) + node + classifier().graph.SerializeToString()
    rest: bytes = ModelProto(opset_import=classifier().opset_import).SerializeToString()
    length = len(graph)
    return rest + bytes([0x3A, length & 127 | 128, length >> 7]) + graph


def test_a_list_is_not_packed_and_there_is_one() -> None:
    """ONNX writes each number with its key, all of them in a row."""
    node = helper.make_node("Identity", ["x"], ["y"], any=[1, 300, -1]).SerializeToString()
    assert rejection(_with_node(node)) == ""
    for ints in (b"\x42\x02\x01\x02", b"\x40\x01\x0a\x01a\x40\x02"):
        attribute = b"\x0a\x03any" + ints
        packed = helper.make_node("Identity", ["x"], ["y"]).SerializeToString()
        packed += bytes([0x2A, len(attribute)]) + attribute
        assert "more than one list" in rejection(_with_node(packed))


def test_as_many_fields_are_read_as_the_limit_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file with the most of them is accepted, one with one more is not."""
    model = classifier().SerializeToString()
    counted = 0
    for limit in range(200):
        monkeypatch.setattr(onnx_audit, "MAX_FIELDS", limit)
        if rejection(model) == "":
            break
        assert "too many fields" in rejection(model)
        counted = limit + 1
    assert counted == _count_fields(classifier())


def _count_fields(message: Any) -> int:
    """Count the fields of a message and of those in it; of those that the audit reads."""
    total = 0
    for _, value in message.ListFields():
        values = value if hasattr(value, "append") else [value]
        for each in values:
            total += 1
            if hasattr(each, "ListFields"):
                total += _count_fields(each)
    return total


@pytest.mark.parametrize("shift", range(1, 9))
def test_numbers_are_read_with_all_their_bits(shift: int) -> None:
    """The version of the operators is one; it may have as many bytes as it needs."""
    for version, expected in ((1 << 7 * shift, ""), (12, "old version"), (13, "")):
        model = classifier()
        model.opset_import[0].version = version
        assert expected in rejection(model)
        assert (rejection(model) == "") is (expected == "")


def test_a_number_ends_after_ten_bytes() -> None:
    """A longer one is no protobuf; the library would read it, or not."""
    model = classifier().SerializeToString()
    assert rejection(model + b"\x08" + b"\x80" * 9 + b"\x01") == ""
    assert "not in protobuf's encoding" in rejection(model + b"\x08" + b"\x80" * 10 + b"\x01")


def test_the_model_has_one_graph() -> None:
    """Protobuf would merge several."""
    assert "no graph, or more than one" in rejection(
        ModelProto(opset_import=classifier().opset_import)
    )
    model = classifier().SerializeToString()
    assert "no graph, or more than one" in rejection(model + b"\x3a\x00")


def test_the_oldest_version_of_the_operators_counts() -> None:
    """If there are several; that of another domain does not count."""
    model = classifier()
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    assert rejection(model) == ""
    model.opset_import.append(helper.make_opsetid("", 12))
    assert "old version" in rejection(model)
    del model.opset_import[:]
    assert "old version" in rejection(model)


def test_an_operator_belongs_to_its_domain() -> None:
    """One of the other domain's is another operator."""
    assert "operator that is not allowed" not in rejection(
        classifier(helper.make_node("LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml"))
    )
    assert "operator that is not allowed" in rejection(
        classifier(helper.make_node("LabelEncoder", ["x"], ["y"]))
    )
    assert onnx.defs.has("LabelEncoder", "ai.onnx.ml")
