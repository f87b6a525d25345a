"""The tensors of the Open Inference Protocol: their datatypes, their shapes and their values.

The format: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from chalicelib.errors import BinaryTensors
from chalicelib.inputs.problems import Problems
from chalicelib.inputs.suggestions import did_you_mean

_FLOATS = {"FP16": 65504.0, "FP32": 3.4028234663852886e38, "FP64": 1.7976931348623157e308}
_INTEGERS = {
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
DATATYPES = ("BOOL", "BYTES", *_FLOATS, *_INTEGERS)


class Tensor(NamedTuple):
    """What came as a tensor, and is one.

    Parameters
    ----------
    at : str
        Where in the request it is.
    name : str
        Its name.
    shape : list of int
        One size or two.
    values : list
        As many as the shape says, one after another.
    """

    at: str
    name: str
    shape: list[int]
    values: list[Any]


def read_tensor(at: str, sent: object, problems: Problems) -> Tensor | None:
    """Read a tensor.

    Parameters
    ----------
    at : str
        Where in the request it is.
    sent : object
        What JSON holds there.
    problems : Problems
        Where to note all that is wrong with it.

    Returns
    -------
    Tensor or None
        None if it cannot be read at all.

    Raises
    ------
    BinaryTensors
        If its data is not in the JSON.
    """
    if not isinstance(sent, dict):
        problems.add(at, "must be an object")
        return None
    check_parameters(sent, f"{at}.parameters", problems)
    parameters = sent.get("parameters")
    if "data" not in sent and isinstance(parameters, dict) and "binary_data_size" in parameters:
        raise BinaryTensors
    name, datatype = sent.get("name"), sent.get("datatype")
    if not isinstance(name, str):
        problems.add(f"{at}.name", "must be text")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        may_hint = isinstance(datatype, str) and not problems.list_is_full()
        hint = did_you_mean(str(datatype), DATATYPES) if may_hint else ""
        problems.add(f"{at}.datatype", f"must be one of {', '.join(DATATYPES)}{hint}")
        datatype = None
    shape = _shape(at, sent.get("shape"), problems)
    data = sent.get("data")
    if not isinstance(data, list):
        problems.add(f"{at}.data", "must be a list")
        return None
    values = data if shape is None else _flat(at, data, shape, problems)
    if values is not None and datatype is not None:
        _check_values(f"{at}.data", values, datatype, problems)
    if shape is None or values is None or not isinstance(name, str):
        return None
    return Tensor(at, name, shape, values)


def check_parameters(holder: dict[str, Any], at: str, problems: Problems) -> None:
    """Note if parameters, which are not read, are not of the form that they must have.

    Parameters
    ----------
    holder : dict
        The request, or what in it may have parameters.
    at : str
        Where in the request they are.
    problems : Problems
        Where to note it.
    """
    if not isinstance(holder.get("parameters"), dict | None):
        problems.add(at, "must be an object")


def _shape(at: str, sent: object, problems: Problems) -> list[int] | None:
    if not (isinstance(sent, list) and len(sent) in (1, 2)):
        problems.add(f"{at}.shape", "must be a list of one or two sizes, as in [1, 13]")
        return None
    if not all(type(size) is int and size >= 0 for size in sent):
        problems.add(f"{at}.shape", "must hold whole numbers, none of them negative")
        return None
    return sent


def _flat(at: str, data: list[Any], shape: list[int], problems: Problems) -> list[Any] | None:
    """Give the values of a tensor one after another, whether they came nested or flat."""
    values = data
    if any(isinstance(row, list) for row in data):
        if len(shape) != 2 or len(data) != shape[0]:
            problems.add(f"{at}.shape", "does not agree with the data")
            return None
        for index, row in enumerate(data):
            if not isinstance(row, list) or len(row) != shape[1]:
                problems.add(f"{at}.data[{index}]", "must be a list as long as the shape says")
                return None
        values = [value for row in data for value in row]
    if len(values) != math.prod(shape):
        problems.add(f"{at}.shape", f"does not agree with the data, which is {len(values)} values")
        return None
    return values


def _check_values(at: str, values: list[Any], datatype: str, problems: Problems) -> None:
    """Note each value that is not of the datatype; null is a missing value of any."""
    if datatype in ("BOOL", "BYTES"):
        kind, says = (bool, "true or false") if datatype == "BOOL" else (str, "text")
        for index, value in enumerate(values):
            if value is not None and type(value) is not kind:
                problems.add(f"{at}[{index}]", f"must be {says}, as the datatype is {datatype}")
        return
    least, most = _INTEGERS.get(datatype) or (-_FLOATS[datatype], _FLOATS[datatype])
    whole = datatype in _INTEGERS
    for index, value in enumerate(values):
        if value is None:
            continue
        if type(value) is not int and type(value) is not float:
            problems.add(f"{at}[{index}]", f"must be a number, as the datatype is {datatype}")
        elif not least <= value <= most:
            problems.add(f"{at}[{index}]", f"is out of the range of {datatype}")
        elif whole and value != int(value):
            problems.add(f"{at}[{index}]", f"must be a whole number, as the datatype is {datatype}")
