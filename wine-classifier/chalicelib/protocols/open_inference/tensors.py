"""Tensors: datatypes, shapes, and values in JSON or as bytes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from chalicelib.inputs.numbers import are_small, to_floats
from chalicelib.inputs.problems import Problems
from chalicelib.inputs.values import Column
from chalicelib.named_tuple import NamedTuple
from chalicelib.protocols.open_inference import BINARY_DATA_SIZE, JSON_LENGTH_HEADER

if TYPE_CHECKING:
    from chalicelib.protocols.open_inference.binary import BinaryData

_MAX_FLOAT = {"FP16": 65504.0, "FP32": 3.4028234663852886e38, "FP64": 1.7976931348623157e308}
_INTEGER_RANGES = {
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
_NONE = type(None)
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
    column : Column
        The values, flat and in row-major order.
    """

    path: str
    name: str
    shape: list[int]
    column: Column


def read_tensor(
    tensor: object, path: str, problems: Problems, data: BinaryData | None
) -> Tensor | None:
    """Parse a tensor; None if it is too malformed."""
    if not isinstance(tensor, dict):
        problems.add(path, "must be an object")
        return None
    check_parameters(tensor, f"{path}.parameters", problems)
    name, datatype = tensor.get("name"), tensor.get("datatype")
    if not isinstance(name, str):
        problems.add(f"{path}.name", "must be text")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        problem = f"must be one of {', '.join(DATATYPES)}"
        problems.add_unknown(f"{path}.datatype", datatype, DATATYPES, problem)
        datatype = None
    shape = _read_shape(tensor.get("shape"), path, problems)
    column = _read_column(tensor, datatype, shape, path, problems, data)
    if shape is None or column is None or not isinstance(name, str):
        return None
    return Tensor(path, name, shape, column)


def _read_column(
    tensor: dict[str, Any],
    datatype: str | None,
    shape: list[int] | None,
    path: str,
    problems: Problems,
    data: BinaryData | None,
) -> Column | None:
    """Return the values, if they fit the shape and the datatype as far as these are known."""
    parameters = tensor.get("parameters")
    if isinstance(parameters, dict) and BINARY_DATA_SIZE in parameters:
        size_path = f"{path}.parameters.{BINARY_DATA_SIZE}"
        if "data" in tensor:
            problems.add(size_path, "must not be given for a tensor with data")
        elif data is None:
            problems.add(size_path, f"needs the header {JSON_LENGTH_HEADER}")
        else:
            read = data.read(parameters[BINARY_DATA_SIZE], datatype, shape, path, problems)
            return None if read is None else Column(read)
        return None
    values = tensor.get("data")
    if not isinstance(values, list):
        problems.add(f"{path}.data", "must be a list")
        return None
    floats = None
    if datatype in _MAX_FLOAT and shape is not None and len(values) == math.prod(shape):
        floats = to_floats(values)
        if are_small(floats, _MAX_FLOAT[str(datatype)]):  # so they are flat, and all are numbers
            return Column(values, floats)
    flat = values if shape is None else _flatten(values, shape, path, problems)
    if flat is None:
        return None
    if datatype is not None:
        _check_values(flat, datatype, f"{path}.data", problems)
    return Column(flat, floats if flat is values else None)


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
    if list in set(map(type, data)):
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
        if set(map(type, values)) <= {cls, type(None)}:
            return
        for index, value in enumerate(values):
            if value is not None and type(value) is not cls:
                problem = f"must be {expected}, as the datatype is {datatype}"
                problems.add(f"{path}[{index}]", problem)
        return
    if _are_numbers(values, datatype):
        return
    minimum, maximum = _get_range(datatype)
    for index, value in enumerate(values):
        if value is None:
            continue
        if type(value) is not int and type(value) is not float:
            problem = f"must be a number, as the datatype is {datatype}"
        elif not minimum <= value <= maximum:
            problem = f"is out of the range of {datatype}"
        elif datatype in _INTEGER_RANGES and value != int(value):
            problem = f"must be a whole number, as the datatype is {datatype}"
        else:
            continue
        problems.add(f"{path}[{index}]", problem)


def _are_numbers(values: list[Any], datatype: str) -> bool:
    """Check all values at once; False if one may not fit the datatype, which is a number's."""
    types = set(map(type, values))
    if not types <= ({int, _NONE} if datatype in _INTEGER_RANGES else {int, float, _NONE}):
        return False
    numbers = [value for value in values if value is not None] if _NONE in types else values
    minimum, maximum = _get_range(datatype)
    return not numbers or (minimum <= min(numbers) and max(numbers) <= maximum)


def _get_range(datatype: str) -> tuple[float, float]:
    if datatype in _INTEGER_RANGES:
        return _INTEGER_RANGES[datatype]
    return -_MAX_FLOAT[datatype], _MAX_FLOAT[datatype]
