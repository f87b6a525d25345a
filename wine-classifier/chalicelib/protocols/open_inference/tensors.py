"""Tensors in JSON: datatypes, shapes and values."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from chalicelib.errors import BinaryTensors
from chalicelib.inputs.problems import Problems

_MAX_FLOAT = {"FP16": 65504.0, "FP32": 3.4028234663852886e38, "FP64": 1.7976931348623157e308}
_INTEGER_RANGES = {
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
DATATYPES = ("BOOL", "BYTES", *_MAX_FLOAT, *_INTEGER_RANGES)


class Tensor(NamedTuple):
    """A tensor whose values fit its shape and datatype.

    Parameters
    ----------
    path : str
        Path in the request.
    name : str
    shape : list of int
        Of one or two dimensions.
    values : list
        Flat, in row-major order.
    """

    path: str
    name: str
    shape: list[int]
    values: list[Any]


def read_tensor(tensor: object, path: str, problems: Problems) -> Tensor | None:
    """Parse a tensor; None if it is too malformed. Raises `BinaryTensors`."""
    if not isinstance(tensor, dict):
        problems.add(path, "must be an object")
        return None
    check_parameters(tensor, f"{path}.parameters", problems)
    parameters = tensor.get("parameters")
    if "data" not in tensor and isinstance(parameters, dict) and "binary_data_size" in parameters:
        raise BinaryTensors
    name, datatype = tensor.get("name"), tensor.get("datatype")
    if not isinstance(name, str):
        problems.add(f"{path}.name", "must be text")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        problem = f"must be one of {', '.join(DATATYPES)}"
        problems.add_unknown(f"{path}.datatype", datatype, DATATYPES, problem)
        datatype = None
    shape = _read_shape(tensor.get("shape"), path, problems)
    data = tensor.get("data")
    if not isinstance(data, list):
        problems.add(f"{path}.data", "must be a list")
        return None
    values = data if shape is None else _flatten(data, shape, path, problems)
    if values is not None and datatype is not None:
        _check_values(values, datatype, f"{path}.data", problems)
    if shape is None or values is None or not isinstance(name, str):
        return None
    return Tensor(path, name, shape, values)


def check_parameters(owner: dict[str, Any], path: str, problems: Problems) -> None:
    """Check that an object's ``parameters`` are an object; their members are ignored."""
    if not isinstance(owner.get("parameters"), dict | None):
        problems.add(path, "must be an object")


def _read_shape(shape: object, path: str, problems: Problems) -> list[int] | None:
    if not (isinstance(shape, list) and len(shape) in (1, 2)):
        problems.add(f"{path}.shape", "must be a list of one or two sizes, as in [1, 13]")
        return None
    if not all(type(size) is int and size >= 0 for size in shape):
        problems.add(f"{path}.shape", "must hold whole numbers that are not negative")
        return None
    return shape


def _flatten(data: list[Any], shape: list[int], path: str, problems: Problems) -> list[Any] | None:
    """Return the values of flat or nested data in row-major order."""
    values = data
    if any(isinstance(row, list) for row in data):
        if len(shape) != 2 or len(data) != shape[0]:
            problems.add(f"{path}.shape", "does not match the data")
            return None
        for index, row in enumerate(data):
            if not isinstance(row, list) or len(row) != shape[1]:
                problems.add(f"{path}.data[{index}]", "must be a list as long as the shape says")
                return None
        values = [value for row in data for value in row]
    if len(values) != math.prod(shape):
        problems.add(f"{path}.shape", f"does not match the data, which has {len(values)} values")
        return None
    return values


def _check_values(values: list[Any], datatype: str, path: str, problems: Problems) -> None:
    """Check values against a datatype; null is a missing value of any."""
    if datatype in ("BOOL", "BYTES"):
        cls, expected = (bool, "true or false") if datatype == "BOOL" else (str, "text")
        for index, value in enumerate(values):
            if value is not None and type(value) is not cls:
                problem = f"must be {expected}, as the datatype is {datatype}"
                problems.add(f"{path}[{index}]", problem)
        return
    is_integer = datatype in _INTEGER_RANGES
    minimum, maximum = _INTEGER_RANGES.get(datatype) or (
        -_MAX_FLOAT[datatype],
        _MAX_FLOAT[datatype],
    )
    for index, value in enumerate(values):
        if value is None:
            continue
        if type(value) is not int and type(value) is not float:
            problem = f"must be a number, as the datatype is {datatype}"
        elif not minimum <= value <= maximum:
            problem = f"is out of the range of {datatype}"
        elif is_integer and value != int(value):
            problem = f"must be a whole number, as the datatype is {datatype}"
        else:
            continue
        problems.add(f"{path}[{index}]", problem)
