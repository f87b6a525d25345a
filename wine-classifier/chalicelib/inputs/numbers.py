"""Convert numbers to float64 in bulk, and find those that are missing or invalid."""

from __future__ import annotations

import functools
import re
import struct
from array import array
from collections.abc import Callable, Sequence
from itertools import chain, starmap
from math import inf, nan
from typing import Any

from chalicelib.inputs.signature import Feature, Signature

# A number as text: JSON's grammar, plus a leading or trailing point and surrounding spaces.
NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)

# Beyond it float64 does not hold every whole number, so that two of them may become one.
LARGEST_INTEGER = 2**53

_NUMERIC_TYPES = frozenset({int, float, type(None)})
_JSON_TYPES = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}

_FLOAT_BYTES = 8
_ZERO, _ONE = struct.pack("d", 0), struct.pack("d", 1)
_FEW = 20  # of each, to be looked at one by one

_LAST_BYTE = {"f": 3, "d": 7}  # by typecode, of a number in memory


def pack_rows(rows: Sequence[Any], signature: Signature) -> array[float] | None:
    """Convert rows that are complete and have only valid numbers, as most are.

    A single row may lack values if no feature is required.

    Parameters
    ----------
    rows : sequence
        Rows as JSON has them, lists or objects.
    signature : Signature

    Returns
    -------
    array of float64, or None
        Shape (rows, features), row by row; None if a row is not such a list or object.
    """
    if len(rows) == 1:
        return _pack_row(rows[0], signature)
    width = len(signature.names)
    try:
        if type(rows[0]) is dict:
            if set(map(len, rows)) != {width}:
                return None
            rows = list(map(signature.get_values, rows))
        data = b"".join(starmap(_row_packer(width), rows))
    except (struct.error, LookupError, TypeError):  # another type, length or name
        return None
    if not _are_small(data, signature.largest_number, "d") or _has_boolean(data, rows):
        return None
    return array("d", data)


def _pack_row(sample: Any, signature: Signature) -> array[float] | None:
    """Convert one sample as `pack_rows` does; it may lack values if no feature is required."""
    if type(sample) is list and len(sample) == len(signature.names):
        values = sample
    elif type(sample) is dict and sample.keys() <= signature.known_names:
        values = list(map(sample.get, signature.names))
    else:
        return None
    if not set(map(type, values)) <= _NUMERIC_TYPES:
        return None
    present = [value for value in values if value is not None]
    if len(present) < len(values) and (signature.has_required or not present):
        return None
    if not max(map(abs, present)) <= signature.largest_number:
        return None
    return array("d", [nan if value is None else value for value in values])


@functools.lru_cache(maxsize=4)
def _row_packer(width: int) -> Callable[..., bytes]:
    """Return a function that packs so many numbers; it raises `struct.error` for anything else."""
    return struct.Struct(f"{width}d").pack


def to_floats(values: Sequence[Any]) -> array[float]:
    """Convert values to floats; what is not a finite number becomes NaN or infinity.

    An array of float64 is returned as it is.
    """
    if isinstance(values, array):
        if values.typecode == "d":
            return values
        values = values.tolist()
    try:
        data = struct.pack(f"{len(values)}d", *values)
    except struct.error:  # another type, or an integer beyond the range of float64
        pass
    else:
        if not _has_boolean(data, [values]):
            return array("d", data)
    if set(map(type, values)) <= _NUMERIC_TYPES:
        numbers = [nan if v is None else v for v in values]
        try:
            return array("d", struct.pack(f"{len(numbers)}d", *numbers))
        except struct.error:
            pass
    return array("d", map(_to_float, values))


def _has_boolean(data: bytes, rows: Sequence[Sequence[Any]]) -> bool:
    """Check for booleans in rows that were packed: `struct` takes them for 0 and 1."""
    for packed in (_ZERO, _ONE):
        position = -1
        for _ in range(_FEW):
            position = data.find(packed, position + 1)
            if position < 0:
                break
            row, column = divmod(position // _FLOAT_BYTES, len(rows[0]))
            if type(rows[row][column]) is bool:
                return True
        else:
            return bool in set(map(type, chain.from_iterable(rows)))
    return False


def _to_float(value: object) -> float:
    if type(value) not in (int, float):
        return nan
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return inf


def invalid_indices(numbers: array[float], largest: float) -> list[int]:
    """Return the indices of NaN (missing, or not a number) and of numbers that are too large."""
    if are_small(numbers, largest):
        return []
    return [index for index, n in enumerate(numbers) if not abs(n) <= largest]


def are_small(numbers: array[float], largest: float) -> bool:
    """Check floats at once; False if one may be NaN, or larger."""
    return _are_small(numbers.tobytes(), largest, numbers.typecode)


def _are_small(data: bytes, largest: float, typecode: str) -> bool:
    # The last byte of each is its sign and the upper part of its exponent: few are looked at.
    last, is_small = _LAST_BYTE[typecode], _small_bytes(largest, typecode)
    return not data[last :: last + 1].translate(None, is_small)


@functools.cache
def _small_bytes(largest: float, typecode: str) -> bytes:
    """Return what the last byte is of floats that are surely no larger, of either sign."""
    largest_byte = array(typecode, [largest]).tobytes()[-1]
    return bytes([*range(largest_byte), *range(128, 128 + largest_byte)])


def number_problem(value: object, feature: Feature, signature: Signature) -> str | None:
    """Return why a value is not a finite number, unless it is missing and may be."""
    if value is None:
        return "is required" if feature.required else None
    if feature.kind == "boolean":
        return f"must be true or false, not {json_type(value)}"
    if json_type(value) == "a number":
        largest = f"{signature.largest_number:g}".replace("e+", "e")
        return f"is too large: a number may be up to {largest}"
    return f"must be a number, not {json_type(value)}"


def parse_number(value: float | str) -> float | str:
    """Parse a number that is sent as text, as in ``{"data": ".10"}``; return other text."""
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        return value
    return float(value)


def json_type(value: object) -> str:
    """Return the JSON type of a value, in words."""
    return _JSON_TYPES.get(type(value), "another type")
