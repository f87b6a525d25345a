"""The attributes of the nodes of an ONNX file, as far as the audit reads them."""

from __future__ import annotations

import re
from array import array

from chalicelib.named_tuple import NamedTuple
from chalicelib.runtimes.onnx_shapes import Attributes, Graph, reject

NOT_LAST = bytes(range(128, 256))  # every byte of a varint but its last
_MAX_LIST_BYTES = 100  # of a list of axes
_NUMBER = rb"\x40([\x80-\xff]*[\x00-\x7f])"

# A run of indices, each with its key, whose varints have as many bytes as the group's number.
_MAX_INDEX_BYTES = 4  # of a varint with 28 bits; a negative number has ten
_SAME_LENGTH = b"|".join(
    rb"((?:\x40[\x80-\xff]{%d}[\x00-\x7f])++)" % i for i in range(_MAX_INDEX_BYTES)
)
_LOW_BITS = bytes(byte & 127 for byte in range(256))


class StoredTensor(NamedTuple):
    """A tensor in a file."""

    name: bytes = b""
    shape: tuple[int, ...] = ()
    items: int = 0
    raw: memoryview = memoryview(b"")
    values: tuple[int, ...] | None = None  # of a small one that holds 64-bit integers


class Attribute(NamedTuple):
    """An attribute of a node."""

    name: bytes
    integer: int
    integers: bytes  # each with its key
    tensor: StoredTensor
    graph: Graph | None

    def count_integers(self) -> int:
        """Return the number of its integers; each has two bytes below 128, its key and its last."""
        return len(self.integers.translate(None, NOT_LAST)) // 2

    def read_indices(self) -> array[int]:
        """Decode its integers, which are indices; there may be millions.

        Those whose varints are equally long are decoded at once: byte by byte, in elements of 32
        bits of one long integer.
        """
        indices, stop = array("I"), 0
        for run in re.finditer(_SAME_LENGTH, self.integers):
            data, length = run.group(), run.lastindex or 1
            count, elements = len(data) // (length + 1), 0
            for byte in range(length):
                column = bytearray(4 * count)
                column[::4] = data[byte + 1 :: length + 1].translate(_LOW_BITS)
                elements |= int.from_bytes(column, "little") << 7 * byte
            indices.frombytes(elements.to_bytes(4 * count, "little"))
            stop += len(data)
        if stop < len(self.integers):
            reject("a tree has an index that is negative or too large")
        return indices


def decode_varint(varint: bytes) -> int:
    """Return the number that a varint stands for."""
    number = 0
    for byte in reversed(varint):
        number = number << 7 | byte & 127
    return number


def signed(varint: int) -> int:
    """Return the 64-bit integer that a varint stands for."""
    return varint - (varint >> 63 << 64)


def sizing(attributes: list[Attribute]) -> Attributes:
    """Return what the sizes of a node's outputs depend on."""
    lists = {
        each.name: tuple(signed(decode_varint(item)) for item in re.findall(_NUMBER, each.integers))
        for each in attributes
        if len(each.integers) <= _MAX_LIST_BYTES
    }
    graphs = {each.name: each.graph for each in attributes if each.graph is not None}
    items = sum(each.count_integers() + each.tensor.items for each in attributes)
    integers = {each.name: signed(each.integer) for each in attributes}
    return Attributes(integers, lists, graphs, items)
