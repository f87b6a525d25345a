"""Tensors as bytes: the binary tensor data extension.

A body is JSON, whose length is in a header, and after it the bytes of the tensors in their order.
Numbers are little-endian, as they are in memory on every processor of Lambda.
Format: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

import math
import re
import struct
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.errors import MalformedBody
from chalicelib.inputs.problems import Problems
from chalicelib.protocols.open_inference import BINARY_DATA_SIZE, JSON_LENGTH_HEADER
from chalicelib.rest.body import JSON, parse_json, read_media_type, read_text
from chalicelib.rest.responses import OCTET_STREAM

_TYPECODES = {
    "BOOL": "B",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "FP32": "f",
    "FP64": "d",
}
_FP16_BYTES = 2  # `array` has no such type, `struct` has
_LENGTH_BYTES = 4  # before each text


def read_body(body: bytes, headers: Mapping[str, str]) -> tuple[Any, BinaryData]:
    """Parse the JSON of a body, and return it with the bytes that follow.

    Raises
    ------
    UnsupportedMediaType, BodyTooLarge, MalformedBody
        As `chalicelib.rest.body.read_json`, or if the header is not a length within the body.
    """
    read_media_type(headers, (JSON, OCTET_STREAM))
    length = headers[JSON_LENGTH_HEADER.lower()].strip()
    if not re.fullmatch("[0-9]{1,18}", length) or int(length) > len(body):
        raise MalformedBody(
            f"{JSON_LENGTH_HEADER} must be the length of the JSON: a whole number, at most the"
            f" {len(body):,} bytes of the body."
        )
    size = int(length)
    return parse_json(read_text(body[:size])), BinaryData(memoryview(body)[size:])


class BinaryData:
    """The bytes after the JSON, which the tensors take in their order."""

    def __init__(self, data: memoryview) -> None:
        self._data = data

    def read(
        self,
        size: object,
        datatype: str | None,
        shape: list[int] | None,
        path: str,
        problems: Problems,
    ) -> list[Any] | array[Any] | None:
        """Return the values of the next tensor; None if they do not fit its shape and datatype."""
        size_path = f"{path}.parameters.{BINARY_DATA_SIZE}"
        if type(size) is not int or size < 0:
            problems.add(size_path, "must be a whole number that is not negative")
            return None
        if size > len(self._data):
            problem = f"is more than the {len(self._data):,} bytes that are left of the body"
            problems.add(size_path, problem)
            return None
        data, self._data = self._data[:size], self._data[size:]
        if datatype is None or shape is None:
            return None
        count = math.prod(shape)
        if datatype == "BYTES":
            return _read_texts(data, count, path, problems)
        typecode = _TYPECODES.get(datatype)
        value_bytes = array(typecode).itemsize if typecode else _FP16_BYTES
        if size != count * value_bytes:
            problem = f"does not match the shape: {datatype} takes {value_bytes} bytes a value"
            problems.add(size_path, problem)
            return None
        if typecode is None:
            return array("f", struct.unpack(f"<{count}e", data))
        values = array(typecode)
        values.frombytes(data)
        return _read_booleans(values, path, problems) if datatype == "BOOL" else values

    def check_end(self, problems: Problems) -> None:
        """Report bytes that no tensor takes."""
        if len(self._data):
            problem = f"leave {len(self._data):,} bytes of the body unread: API Gateway changes the"
            problems.add("inputs", f"{problem} bytes unless Content-Type is {OCTET_STREAM}")


def _read_texts(data: memoryview, count: int, path: str, problems: Problems) -> list[str] | None:
    """Read texts, each after its length."""
    if count * _LENGTH_BYTES > len(data):
        problem = f"does not match the shape: each text takes {_LENGTH_BYTES} bytes and its own"
        problems.add(f"{path}.parameters.{BINARY_DATA_SIZE}", problem)
        return None
    texts = []
    position = 0
    for index in range(count):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(data[position:start], "little")
        if position > len(data):
            problems.add(f"{path}.data[{index}]", "is longer than the bytes of the tensor")
            return None
        try:
            texts.append(str(data[start:position], "utf-8"))
        except UnicodeDecodeError:
            problems.add(f"{path}.data[{index}]", "must be text in UTF-8")
    if position != len(data):
        problem = f"does not match the shape, whose texts take {position:,} bytes"
        problems.add(f"{path}.parameters.{BINARY_DATA_SIZE}", problem)
    return texts


def _read_booleans(values: array[int], path: str, problems: Problems) -> list[bool]:
    if values and max(values) > 1:
        for index, value in enumerate(values):
            if value > 1:
                problems.add(f"{path}.data[{index}]", "must be 0 or 1, as the datatype is BOOL")
    return [value == 1 for value in values]


def write_labels(labels: Sequence[str], classes: Sequence[str]) -> bytes:
    """Return labels, each one of the classes, after its length."""
    encoded = {}
    for label in classes if len(classes) < len(labels) else set(labels):
        data = label.encode()
        encoded[label] = len(data).to_bytes(_LENGTH_BYTES, "little") + data
    return b"".join([encoded[label] for label in labels])
