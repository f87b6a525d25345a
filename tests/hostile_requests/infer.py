"""Inference requests that the protocol or the wine model does not accept."""

from __future__ import annotations

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
BINARY_TENSOR = {"name": "x", "shape": [1, 13], "datatype": "FP64"} | {
    "parameters": {"binary_data_size": 104}
}
BINARY_HEADERS = (("Inference-Header-Content-Length", "10"),)

REQUESTS = [
    *(Request(422, INFER, encode_json(document), at=tuple(at)) for document, at in DOCUMENTS),
    *(Request(422, INFER, encode_json({"inputs": [value]}), at=tuple(at)) for value, at in TENSORS),
    Request(415, INFER, encode_json({"inputs": [BINARY_TENSOR]})),
    Request(415, INFER, b'{"inputs":[]}\x00\x01', BINARY_HEADERS),
    Request(415, INFER, b"\xff\xfe", BINARY_HEADERS),
]
