"""Tensors and inputs whose fields are not those, or not as, the exporter writes them."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto, helper

from chalicelib.errors import InvalidArtifact
from chalicelib.runtimes.onnx_audit import audit

OPSET = helper.make_opsetid("", 21)
NAME = TensorProto(name="c").SerializeToString()


def rejection(tensor: bytes) -> str:
    """Return why a model with a constant is rejected; "" if it is not."""
    node = helper.make_node("Identity", ["x"], ["y"])
    samples = helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, 2])
    graph = GraphProto(node=[node], input=[samples]).SerializeToString()
    graph += bytes([0x2A, len(tensor)]) + tensor
    model = ModelProto(opset_import=[OPSET]).SerializeToString()
    try:
        audit(model + bytes([0x3A, len(graph) & 127 | 128, len(graph) >> 7]) + graph)
    except InvalidArtifact as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("data_type", "size"), [(TensorProto.DOUBLE, 8), (TensorProto.INT64, 8), (TensorProto.BOOL, 1)]
)
def test_a_tensor_holds_what_its_shape_needs_in_any_order_of_its_fields(
    data_type: int, size: int
) -> None:
    """The last of two types counts, as for protobuf."""
    shape = TensorProto(dims=[3]).SerializeToString()
    kind = TensorProto(data_type=data_type).SerializeToString()
    other = TensorProto(data_type=TensorProto.INT8 if size > 1 else TensorProto.DOUBLE)
    for count in (3, 3 * size - 1, 3 * size, 3 * size + 1, 4 * size):
        raw = TensorProto(raw_data=bytes(count)).SerializeToString()
        for order in permutations([shape, kind, raw]):
            for tensor in (b"".join(order), other.SerializeToString() + b"".join(order)):
                assert (rejection(NAME + tensor) == "") is (count == 3 * size), order


@pytest.mark.parametrize(
    "field",
    [
        b"\x0a\x01\x03",  # the shape, packed
        bytes([0x12, TensorProto.DOUBLE]) + bytes(TensorProto.DOUBLE),  # the type, as bytes
        b"\x15\x0b\0\0\0",  # the type, in four bytes
    ],
)
def test_a_shape_and_a_type_are_not_in_another_encoding(field: bytes) -> None:
    """Protobuf's library would read another type or shape than the audit."""
    tensor = TensorProto(dims=[3], data_type=TensorProto.DOUBLE, raw_data=bytes(24))
    whole = NAME + tensor.SerializeToString()
    assert rejection(whole) == ""
    assert "has a packed shape" in rejection(field + whole)


def with_input(samples: ValueInfoProto) -> bytes:
    """Return a model with an input."""
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [samples], [])
    model: bytes = helper.make_model(graph, opset_imports=[OPSET]).SerializeToString()
    return model


def test_an_input_may_have_a_description() -> None:
    """Neither it nor the meaning of the type is a part of the shape."""
    samples = helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["rows", 2], "what it is")
    samples.type.denotation = "TENSOR"
    audit(with_input(samples))


@pytest.mark.parametrize(
    "shape", [[], [None], [2], [None, None], [None, "width"], [None, 0], [None, 2, 2]]
)
def test_an_input_is_a_matrix_of_a_known_width(shape: list[Any]) -> None:
    """The sizes of all tensors depend on it."""
    samples = helper.make_tensor_value_info("x", TensorProto.DOUBLE, shape)
    with pytest.raises(InvalidArtifact, match="its input is no matrix"):
        audit(with_input(samples))
