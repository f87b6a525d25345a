"""Tensors as bytes, in requests and in responses."""

from __future__ import annotations

import json
import math
import struct
from array import array
from typing import Any, NamedTuple

import pytest

from chalicelib.inputs.problems import Problems
from chalicelib.protocols.open_inference.binary import _read_booleans
from tests.support.app import App
from tests.support.errors import problem_paths

LENGTH = "Inference-Header-Content-Length"
ROUTE = "/v2/models/{}/infer"
TYPECODES = {
    "FP64": "d",
    "FP32": "f",
    "FP16": "e",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
}


class BytesResponse(NamedTuple):
    """The parts of a response with bytes."""

    document: Any
    data: bytes


def tensor(
    data: bytes, shape: list[int], datatype: str = "FP64", name: str = "input"
) -> dict[str, Any]:
    """Return a tensor whose values are the bytes of `data`."""
    parameters = {"binary_data_size": len(data)}
    return {"name": name, "shape": shape, "datatype": datatype, "parameters": parameters}


def infer(app: App, tensors: list[dict[str, Any]], data: bytes, model: str = "wine") -> Any:
    """Send tensors as bytes and return the body of the response, which is JSON."""
    document = json.dumps({"inputs": tensors}).encode()
    headers = {"Content-Type": "application/octet-stream", LENGTH: str(len(document))}
    return app.request("POST", ROUTE.format(model), document + data, headers=headers)


def infer_bytes(app: App, document: dict[str, Any], model: str = "wine") -> BytesResponse:
    """Send JSON and return the parts of the response, which holds bytes."""
    response = app.send("POST", ROUTE.format(model), json.dumps(document).encode())
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/octet-stream"
    length = int(response.headers[LENGTH])
    return BytesResponse(json.loads(response.body[:length]), response.body[length:])


def in_json(values: list[Any], shape: list[int], name: str = "input") -> dict[str, Any]:
    """Return a tensor in JSON."""
    return {"name": name, "shape": shape, "datatype": "FP64", "data": values}


@pytest.mark.parametrize(
    ("changes", "path"),
    [({"datatype": "FP65"}, "datatype"), ({"shape": "2"}, "shape"), ({"shape": [-1]}, "shape")],
)
def test_bytes_of_an_unknown_datatype_or_shape_are_not_read(
    app: App, changes: dict[str, Any], path: str
) -> None:
    """What is wrong is named; the tensor after it is read nevertheless."""
    first = tensor(bytes(16), [2], name="ash") | changes
    second = tensor(b"\x02\x00", [2], "BOOL", "hue")
    response = infer(app, [first, second], bytes(16) + b"\x02\x00")
    assert response.status == 422
    assert problem_paths(response)[0].startswith(f"inputs[0].{path}")
    assert "inputs[1].data[0]" in problem_paths(response)


def test_one_is_true_and_zero_false() -> None:
    """As NumPy writes booleans."""
    problems = Problems()
    assert _read_booleans(array("B", [0, 1, 1]), "inputs[0]", problems) == [False, True, True]
    problems.raise_if_any()


def test_a_boolean_is_one_or_zero(app: App) -> None:
    """Each byte that is not is named."""
    response = infer(app, [tensor(b"\x00\x01\x02\x01\xff", [5], "BOOL", "ash")], b"\0\1\2\1\xff")
    assert response.status == 422
    assert problem_paths(response) == ["inputs[0].data[2]", "inputs[0].data[4]"]


def test_a_matrix_of_bytes_is_classified_as_one_in_json(app: App, wines: list[list[float]]) -> None:
    """With the same labels, probabilities and headers."""
    data = b"".join(array("d", row).tobytes() for row in wines)
    response = infer(app, [tensor(data, [3, 13])], data)
    flat = [value for row in wines for value in row]
    document = json.dumps({"inputs": [in_json(flat, [3, 13])]}).encode()
    expected = app.request("POST", ROUTE.format("wine"), document)
    assert (response.status, response.body) == (200, expected.body)
    assert response.headers["X-Model-Version"] == expected.headers["X-Model-Version"]


@pytest.mark.parametrize("datatype", TYPECODES)
def test_every_numeric_datatype_is_read(app: App, datatype: str) -> None:
    """With whole numbers, which all of them hold, also as columns."""
    numbers = [*range(1, 14)]
    data = struct.pack(f"<13{TYPECODES[datatype]}", *numbers)
    expected = app.request(
        "POST",
        ROUTE.format("wine"),
        json.dumps({"inputs": [in_json(numbers, [1, 13])]}).encode(),
    ).body
    assert infer(app, [tensor(data, [1, 13], datatype)], data).body == expected
    metadata = app.request("GET", "/model").body
    names = [feature["name"] for feature in metadata["signature"]["features"]]
    size = len(data) // 13
    columns = [tensor(data[:size], [1, 1], datatype, name) for name in names]
    assert infer(app, columns, data).body == expected


def test_nan_is_a_missing_value(app: App) -> None:
    """As null is in JSON."""
    data = array("d", [13.0] + [math.nan] * 12).tobytes()
    expected = json.dumps({"inputs": [in_json([13.0] + [None] * 12, [1, 13])]}).encode()
    response = infer(app, [tensor(data, [1, 13])], data)
    assert response.body == app.request("POST", ROUTE.format("wine"), expected).body


def test_a_mixed_table_is_read_from_bytes(mixed_app: App) -> None:
    """Numbers, whole numbers, booleans and texts, beside a tensor in JSON."""
    texts = b"".join(len(t).to_bytes(4, "little") + t for t in (b"red", b"red"))
    count, old = array("q", [1, 4]).tobytes(), b"\1\0"
    tensors = [
        tensor(count, [2, 1], "INT64", "count"),
        in_json([0.1, 3.0], [2], "size"),
        tensor(old, [2], "BOOL", "old"),
        tensor(texts, [2], "BYTES", "colour"),
    ]
    response = infer(mixed_app, tensors, count + old + texts, "mixed")
    assert response.body["outputs"][0]["data"] == ["no", "yes"]
    wrong = infer(mixed_app, tensors, count + old + texts.replace(b"red", b"rde"), "mixed")
    assert problem_paths(wrong) == ["inputs[3].data[0]", "inputs[3].data[1]"]
    large = array("q", [2**53 + 1, 4]).tobytes()
    assert problem_paths(infer(mixed_app, tensors, large + old + texts, "mixed")) == [
        "inputs[0].data[0]"
    ]


def test_outputs_are_returned_as_bytes(app: App, wines: list[list[float]]) -> None:
    """All of them, or those that ask for it; with the values that JSON has."""
    flat = [value for row in wines for value in row]
    inputs = {"inputs": [in_json(flat, [3, 13])]}
    expected = app.request("POST", ROUTE.format("wine"), json.dumps(inputs).encode()).body
    labels, probabilities = (output["data"] for output in expected["outputs"])
    encoded = b"".join(b"\1\0\0\0" + label.encode() for label in labels)

    both = infer_bytes(app, inputs | {"parameters": {"binary_data_output": True}})
    assert both.data == encoded + array("d", probabilities).tobytes()
    sizes = [output["parameters"]["binary_data_size"] for output in both.document["outputs"]]
    assert sizes == [len(encoded), 72]
    assert all("data" not in output for output in both.document["outputs"])

    outputs = [
        {"name": "predict_proba", "parameters": {"binary_data": False}},
        {"name": "predict"},
    ]
    one = infer_bytes(
        app, inputs | {"outputs": outputs, "parameters": {"binary_data_output": True}}
    )
    assert one.document["outputs"][0]["data"] == probabilities
    assert one.data == encoded


def test_bytes_are_delivered_whatever_a_request_accepts(app: App) -> None:
    """Chalice itself answers 400 to a request whose Accept header lacks the type."""
    document = {"inputs": [in_json([1.0] * 13, [1, 13])]}
    document |= {"parameters": {"binary_data_output": True}}  # type: ignore[dict-item]
    for accept in ("application/json", "*/*", "application/octet-stream", "text/html"):
        headers = {"Content-Type": "application/json", "Accept": accept}
        body = json.dumps(document).encode()
        response = app.send("POST", ROUTE.format("wine"), body, headers=headers)
        assert (response.status, response.headers["Content-Type"]) == (
            200,
            "application/octet-stream",
        )


@pytest.mark.parametrize(
    ("size", "problem"),
    [
        (-1, "must be a whole number that is not negative"),
        (104.0, "must be a whole number that is not negative"),
        (True, "must be a whole number that is not negative"),
        (0, "does not match the shape: FP64 takes 8 bytes a value"),
        (103, "does not match the shape: FP64 takes 8 bytes a value"),
        (105, "is more than the 104 bytes that are left of the body"),
    ],
)
def test_a_size_that_does_not_fit_is_named(app: App, size: object, problem: str) -> None:
    """It is the only problem."""
    wrong = tensor(b"", [1, 13]) | {"parameters": {"binary_data_size": size}}
    response = infer(app, [wrong], bytes(104))
    path = "inputs[0].parameters.binary_data_size"
    assert response.body["problems"] == [{"at": path, "problem": problem}]


def test_bytes_that_no_tensor_takes_are_named(app: App) -> None:
    """How many they are."""
    response = infer(app, [tensor(bytes(104), [1, 13])], bytes(107))
    assert problem_paths(response) == ["inputs"]
    assert response.body["problems"][0]["problem"].startswith("leave 3 bytes of the body unread")


@pytest.mark.parametrize(
    ("data", "path", "problem"),
    [
        (b"\x03\0\0\0red", "parameters.binary_data_size", "does not match the shape: each text"),
        (b"\x04\0\0\0red\0\0\0", "data[1]", "is longer than the bytes of the tensor"),
        (b"\x03\0\0\0red\x01\0\0\0", "data[1]", "is longer than the bytes of the tensor"),
        (b"\xff\xff\xff\xff\0\0\0\0", "data[0]", "is longer than the bytes of the tensor"),
        (bytes(9), "parameters.binary_data_size", "does not match the shape, whose texts take 8"),
    ],
)
def test_a_text_that_is_cut_short_or_too_long_is_named(
    mixed_app: App, data: bytes, path: str, problem: str
) -> None:
    """Each text follows its length, in four bytes."""
    response = infer(mixed_app, [tensor(data, [2], "BYTES", "colour")], data, "mixed")
    assert response.body["problems"][0]["at"] == f"inputs[0].{path}"
    assert response.body["problems"][0]["problem"].startswith(problem)


def test_texts_may_be_empty(mixed_app: App) -> None:
    """The bytes are then those of the lengths alone, and the other features are what is missing."""
    response = infer(mixed_app, [tensor(bytes(8), [2], "BYTES", "colour")], bytes(8), "mixed")
    assert problem_paths(response) == ["inputs.size", "inputs.count", "inputs.old"]
