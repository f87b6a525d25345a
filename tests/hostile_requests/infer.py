"""Inference requests that the protocol or the wine model does not accept."""

from __future__ import annotations

import math
import struct
from array import array
from typing import Any

from tests.hostile_requests.request import CANARY, INFER, LONG_NAME, ONES, Request, encode_json


def tensor(
    data: object, shape: object, datatype: object = "FP64", name: object = "input"
) -> dict[str, object]:
    """Return a tensor, valid or not."""
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


ASH = tensor([1.0], [1], name="ash")

DOCUMENTS: list[tuple[object, list[str]]] = [
    ([], [""]),
    (3, [""]),
    (None, [""]),
    ({}, ["inputs"]),
    ({"inputs": {}}, ["inputs"]),
    ({"inputs": []}, ["inputs"]),
    ({"inputs": [3]}, ["inputs[0]"]),
    ({"inputs": [tensor(ONES, [1, 13])], "id": 7}, ["id"]),
    ({"inputs": [tensor(ONES, [1, 13])], "id": "7" * 2000}, ["id"]),
    ({"inputs": [tensor(ONES, [1, 13])], "parameters": []}, ["parameters"]),
    ({"inputs": [tensor(ONES, [1, 13])], "parameters": [1]}, ["parameters"]),
    ({"inputs": [tensor(ONES, [1, 13])], "outputs": {}}, ["outputs"]),
    ({"inputs": [tensor(ONES, [1, 13])], "outputs": ["predict"]}, ["outputs[0]"]),
    ({"inputs": [tensor(ONES, [1, 13])], "outputs": [{"name": "x"}]}, ["outputs[0].name"]),
    ({"inputs": None}, ["inputs"]),
    ({"inputs": [None]}, ["inputs[0]"]),
    ({"inputs": [[]]}, ["inputs[0]"]),
    (
        {"inputs": [{}]},
        [f"inputs[0].{part}" for part in ("name", "datatype", "shape", "data")],
    ),
    ({"inputs": [ASH], "id": {CANARY: CANARY}}, ["id"]),
    ({"inputs": [ASH], "outputs": [{}]}, ["outputs[0]"]),
    ({"inputs": [ASH], "outputs": [{"name": 1}]}, ["outputs[0]"]),
    ({"inputs": [ASH], "outputs": [{"name": LONG_NAME}]}, ["outputs[0].name"]),
    (
        {"inputs": [ASH], "outputs": [{"name": "predict", "parameters": []}]},
        ["outputs[0].parameters"],
    ),
    ({"inputs": [ASH, ASH]}, ["inputs[1].name"]),
    ({"inputs": [ASH, tensor([1.0] * 2, [2], name="hue")]}, ["inputs[1].shape"]),
    ({"inputs": [ASH, tensor([1.0] * 2, [1, 2], name="hue")]}, ["inputs[1].shape"]),
    ({"inputs": [ASH, tensor(ONES, [1, 13])]}, ["inputs[1].name", "inputs[1].shape"]),
    ({"inputs": [tensor([1.0] * 12 + [1.7e308], [1, 13])]}, ["inputs[0].data[0].proline"]),
    ({"inputs": [ASH] * 100}, ["inputs"]),
]

TENSORS: list[tuple[object, list[str]]] = [
    (tensor(ONES, [13]), ["inputs[0].name"]),
    (tensor(ONES, [2, 13]), ["inputs[0].shape"]),
    (tensor(ONES, [-1, -13]), ["inputs[0].shape"]),
    (tensor(ONES, [-1, 13]), ["inputs[0].shape"]),
    (tensor(ONES, [1, 13.0]), ["inputs[0].shape"]),
    (tensor(ONES, [True, 13]), ["inputs[0].shape"]),
    (tensor(ONES, ["1", 13]), ["inputs[0].shape"]),
    (tensor(ONES, [1, 13, 1]), ["inputs[0].shape"]),
    (tensor(ONES, []), ["inputs[0].shape"]),
    (tensor(ONES, [10**400, 10**400]), ["inputs[0].shape"]),
    (tensor([ONES], [13, 1]), ["inputs[0].shape"]),
    (tensor([ONES, ONES[1:]], [2, 13]), ["inputs[0].data[1]"]),
    (tensor([ONES, 3], [2, 13]), ["inputs[0].data[1]"]),
    (tensor([[ONES]], [1, 13]), ["inputs[0].data[0]"]),
    (tensor([[*ONES[1:], [1.0]]], [1, 13]), ["inputs[0].data[12]"]),
    (tensor(ONES[1:], [1, 12]), ["inputs[0].shape"]),
    (tensor([], [0, 13]), ["inputs[0].data"]),
    (tensor(ONES, [1, 13], "FP63"), ["inputs[0].datatype"]),
    (tensor(ONES, [1, 13], None), ["inputs[0].datatype"]),
    (tensor(ONES, [1, 13], ["FP64"]), ["inputs[0].datatype"]),
    (tensor(ONES, [1, 13], name=None), ["inputs[0].name"]),
    (tensor("abc", [1, 13]), ["inputs[0].data"]),
    (tensor([*ONES[1:], 1.5], [1, 13], "INT64"), ["inputs[0].data[12]"]),
    (tensor([*ONES[1:], 128], [1, 13], "INT8"), ["inputs[0].data[12]"]),
    (tensor([*ONES[1:], -1], [1, 13], "UINT64"), ["inputs[0].data[12]"]),
    (tensor([*ONES[1:], 2**63], [1, 13], "INT64"), ["inputs[0].data[12]"]),
    (tensor([*ONES[1:], 1e39], [1, 13], "FP32"), ["inputs[0].data[12]"]),
    (tensor([*ONES[1:], 10**400], [1, 13]), ["inputs[0].data[12]"]),
    (tensor([*ONES[1:], True], [1, 13]), ["inputs[0].data[12]"]),
    (tensor([*ONES[1:], "1"], [1, 13]), ["inputs[0].data[12]"]),
    (tensor([*ONES[1:], {}], [1, 13]), ["inputs[0].data[12]"]),
    (tensor([True], [1], "BOOL", "ash"), ["inputs[0].data[0]"]),
    (tensor([1], [1], "BOOL", "ash"), ["inputs[0].data[0]"]),
    (tensor(["1"], [1], "BYTES", "ash"), ["inputs[0].data[0]"]),
    (tensor([1], [1], "BYTES", "ash"), ["inputs[0].data[0]"]),
    (tensor([1.0], [1], name="alcohl"), ["inputs[0].name"]),
    ({"name": "x", "shape": [1, 13], "datatype": "FP64"}, ["inputs[0].data"]),
    (tensor(ONES, [1, 13]) | {"parameters": 3}, ["inputs[0].parameters"]),
    (tensor([1], [1_000_000_000_000, 13]), ["inputs[0].shape"]),
    (tensor([], [1_000_000_000_000, 0]), ["inputs[0].shape"]),
    (tensor([], [10**4299, 0]), ["inputs[0].shape"]),
    (tensor([1], [2**63, 2**63]), ["inputs[0].shape"]),
    (tensor([1], [2**32, 2**32]), ["inputs[0].shape"]),
    (tensor([1], [0, 0]), ["inputs[0].shape"]),
    (tensor([1], None), ["inputs[0].shape"]),
    (tensor([1], {"0": 1}), ["inputs[0].shape"]),
    (tensor([1], "[1]"), ["inputs[0].shape"]),
    (tensor([1], [None]), ["inputs[0].shape"]),
    (tensor([1], [1.5], name="ash"), ["inputs[0].shape"]),
    (tensor(None, [1], name="ash"), ["inputs[0].data"]),
    (tensor({"0": 1}, [1], name="ash"), ["inputs[0].data"]),
    (tensor([CANARY], [1], name="ash"), ["inputs[0].data[0]"]),
    (tensor([[CANARY]], [1, 1], name="ash"), ["inputs[0].data[0]"]),
    (tensor([], [0], name="ash"), ["inputs"]),
    (tensor([1], [1], "fp64", "ash"), ["inputs[0].datatype"]),
    (tensor([1], [1], LONG_NAME, "ash"), ["inputs[0].datatype"]),
    (tensor([1], [1], name=LONG_NAME), ["inputs[0].name"]),
    (tensor([1], [1], name="\ud800"), ["inputs[0].name"]),
    (tensor([1], [1], name=["ash"]), ["inputs[0].name"]),
]

WITHOUT_DATA = {"name": "ash", "shape": [1], "datatype": "FP64"}
TENSORS += [
    (WITHOUT_DATA | {"parameters": parameters}, ["inputs[0].parameters", "inputs[0].data"])
    for parameters in (3, -0.5, True, [1], "binary_data_size")
]


def bytes_tensor(size: object, shape: object = (1, 13), datatype: str = "FP64") -> dict[str, Any]:
    """Return a tensor whose values follow the JSON, in so many bytes."""
    tensor = {"name": "ash" if shape == (1,) else "input", "shape": shape, "datatype": datatype}
    return tensor | {"parameters": {"binary_data_size": size}}


def with_bytes(
    status: int,
    tensors: list[dict[str, Any]],
    data: bytes,
    at: str | None = None,
    *,
    length: str | None = None,
) -> Request:
    """Return a request whose JSON is followed by bytes; `length` replaces that of the JSON."""
    document = encode_json({"inputs": tensors})
    headers = (
        ("Content-Type", "application/octet-stream"),
        ("Inference-Header-Content-Length", str(len(document)) if length is None else length),
    )
    return Request(status, INFER, document + data, headers, at=None if at is None else (at,))


SIZE = "inputs[0].parameters.binary_data_size"
SAMPLE = array("d", ONES).tobytes()
INFINITE = array("d", [*ONES[1:], math.inf]).tobytes()
MISSING = struct.pack("<Q", 0xFFF8_0000_0000_8471) * 13  # NaN with a payload
TEXT = CANARY.encode()
NOT_SIZES: list[object] = [-1, 104.0, "104", None, True, [], 105, 10**400, 103, 0, 8]
BINARY = [
    *(
        with_bytes(400, [bytes_tensor(104)], SAMPLE, length=length)
        for length in ("", "-1", "+9", "1.0", "0x10", "9, 9", "1_0", "1000000", "9" * 5_000, CANARY)
    ),
    *(with_bytes(400, [bytes_tensor(104)], SAMPLE, length=length) for length in ("0", "10")),
    Request(400, INFER, b"\xff\xfe", (("Inference-Header-Content-Length", "2"),)),
    Request(415, INFER, b"{}", (("Content-Type", "application/octet-stream"),)),
    Request(
        415,
        INFER,
        b"{}",
        (("Content-Type", "text/csv"), ("Inference-Header-Content-Length", "2")),
    ),
    Request(422, INFER, encode_json({"inputs": [bytes_tensor(104)]}), at=(SIZE,)),
    *(with_bytes(422, [bytes_tensor(size)], SAMPLE, SIZE) for size in NOT_SIZES),
    with_bytes(422, [bytes_tensor(104)], SAMPLE + b"x", "inputs"),
    with_bytes(422, [bytes_tensor(104), bytes_tensor(104)], SAMPLE, f"inputs[1]{SIZE[9:]}"),
    with_bytes(422, [bytes_tensor(104) | {"data": ONES}], SAMPLE, SIZE),
    with_bytes(422, [bytes_tensor(104, (10**400, 13))], SAMPLE, SIZE),
    with_bytes(422, [bytes_tensor(104, (1, 12))], SAMPLE, SIZE),
    with_bytes(422, [bytes_tensor(104, (1, 13), "FP32")], SAMPLE, SIZE),
    with_bytes(422, [bytes_tensor(96, (1, 12))], SAMPLE[:96], "inputs[0].shape"),
    with_bytes(422, [bytes_tensor(0, (0, 13))], b"", "inputs[0].data"),
    with_bytes(422, [bytes_tensor(104)], INFINITE, "inputs[0].data[0].proline"),
    with_bytes(422, [bytes_tensor(104)], MISSING, "inputs[0].data[0]"),
    with_bytes(422, [bytes_tensor(1, (1,), "BOOL")], b"\2", "inputs[0].data[0]"),
    with_bytes(422, [bytes_tensor(3, (1,), "BYTES")], b"\1\0\0", SIZE),
    with_bytes(422, [bytes_tensor(5, (1,), "BYTES")], b"\2\0\0\0x", "inputs[0].data[0]"),
    with_bytes(422, [bytes_tensor(8, (1,), "BYTES")], b"\xff" * 8, "inputs[0].data[0]"),
    with_bytes(422, [bytes_tensor(5, (1,), "BYTES")], b"\1\0\0\0\xff", "inputs[0].data[0]"),
    with_bytes(422, [bytes_tensor(6, (1,), "BYTES")], b"\1\0\0\0xx", SIZE),
    with_bytes(
        422,
        [bytes_tensor(4 + len(TEXT), (1,), "BYTES")],
        len(TEXT).to_bytes(4, "little") + TEXT,
        "inputs[0].data[0]",
    ),
    with_bytes(413, [bytes_tensor(104 * 10_001, (10_001, 13))], SAMPLE * 10_001),
    with_bytes(422, [bytes_tensor(104) | {"parameters": {"binary_data_size": {}}}], SAMPLE, SIZE),
]
FLAGS: list[tuple[dict[str, Any], str]] = [
    ({"parameters": {"binary_data_output": 1}}, "parameters.binary_data_output"),
    (
        {"outputs": [{"name": "predict", "parameters": {"binary_data": "yes"}}]},
        "outputs[0].parameters.binary_data",
    ),
]

REQUESTS = [
    *(Request(422, INFER, encode_json(document), at=tuple(at)) for document, at in DOCUMENTS),
    *(Request(422, INFER, encode_json({"inputs": [value]}), at=tuple(at)) for value, at in TENSORS),
    *BINARY,
    *(Request(422, INFER, encode_json({"inputs": [ASH]} | flag), at=(at,)) for flag, at in FLAGS),
]
