"""The audit of an ONNX file: what ONNX Runtime, which trusts a file, must not read.

A hostile file names other files to read, never ends, takes all memory, or overflows the stack. So
only the operators that this project's exporter writes are allowed, the bytes of each tensor must be
those that its shape needs, and trees are trees of a bounded depth. Fields, types and numbers are
those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, in the encoding of
https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from math import prod
from typing import NamedTuple, NoReturn

from chalicelib.errors import InvalidArtifact

# The operators that converters write, ours and those of skl2onnx that a comparison has accepted.
# Loop is not among them, as it may never end, nor are ConstantOfShape, Tile and custom operators.
OPERATORS = {
    b"": frozenset(
        b"Abs Add And ArgMax ArgMin Cast Ceil Clip Compress Concat Cos CumSum Div Equal Exp Expand "
        b"Flatten Floor Gather GatherElements Greater GreaterOrEqual Identity If IsInf IsNaN Less "
        b"LessOrEqual Log MatMul Max Min Mod Mul Neg Not Or Pad Pow Range ReduceMax ReduceMin "
        b"ReduceMean ReduceSum ReduceSumSquare Relu Reshape Round Scan ScatterElements Shape "
        b"Sigmoid Sign Sin Slice Softmax Sqrt Sub Tanh TopK Transpose Trilu Unsqueeze Where".split()
    ),
    b"ai.onnx.ml": frozenset(b"ArrayFeatureExtractor LabelEncoder TreeEnsemble".split()),
}
MAX_TREE_DEPTH = (
    2_000  # ONNX Runtime's recursion overflows a stack of 8 MB between 10,000 and 20,000
)
MAX_SUBGRAPH_DEPTH = 4
MAX_CONSTANT_SIZE = 10_000_000  # items that a constant asks an operator to make
MAX_FIELDS = 1_000_000  # so that an audit ends within seconds; lists of numbers count once

_LONGEST_SHIFT = 63  # of the last of a varint's ten bytes
_SIZE_INPUTS = {b"Expand": slice(1, 2), b"Pad": slice(1, 2), b"Range": slice(3)}
_MAX_SIZE_ITEMS = 16  # of a constant that is a size
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types

# Fields that are allowed, of messages of which this module reads only a few.
_MODEL_FIELDS = frozenset([1, 2, 3, 4, 5, 6, 7, 8, 14])
_GRAPH_FIELDS = frozenset([1, 2, 5, 10, 11, 12, 13])
_NODE_FIELDS = frozenset([1, 2, 3, 4, 5, 6, 7])
_ATTRIBUTE_FIELDS = frozenset([1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 20])
_TENSOR_FIELDS = frozenset([1, 2, 4, 5, 7, 8, 9, 10, 12])

# Of a TreeEnsemble: the lists with one item for each node and for each leaf, and other attributes.
_NODE_LISTS = frozenset(
    b"nodes_featureids nodes_splits nodes_modes nodes_truenodeids nodes_trueleafs "
    b"nodes_falsenodeids nodes_falseleafs nodes_missing_value_tracks_true".split()
)
_LEAF_LISTS = frozenset(b"leaf_targetids leaf_weights".split())
_TREE_ATTRIBUTES = frozenset(b"aggregate_function n_targets post_transform tree_roots".split())
_COMPARISONS = bytes(range(6))  # of nodes_modes; membership, which has a list of its own, is not

_ITEM_BYTES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 11: 8}  # by data_type
_INT64 = 7
_FIXED_DATA = {4: 4, 10: 8}  # float_data, double_data: bytes of an item
_VARINT_DATA = (5, 7)  # int32_data, int64_data
_NOT_LAST = bytes(range(128, 256))  # every byte of a varint but its last

# The lists of an attribute are long, and not packed: each number has its key.
_NUMBERS = {
    0x3D: re.compile(rb"(?:\x3d.{4})++", re.DOTALL),  # floats
    0x40: re.compile(rb"(?:\x40[\x80-\xff]{0,9}[\x00-\x7f])++"),  # ints
}
_ITEM = re.compile(rb"[\x80-\xff]*[\x00-\x7f]")  # of a packed list

# A run of indices, each with its key, whose varints have as many bytes as the group's number.
_MAX_INDEX_BYTES = 4  # of a varint with 28 bits; a negative number has ten
_SAME_LENGTH = re.compile(
    b"|".join(rb"((?:\x40[\x80-\xff]{%d}[\x00-\x7f])++)" % i for i in range(_MAX_INDEX_BYTES))
)
_LOW_BITS = bytes(byte & 127 for byte in range(256))


class _Field(NamedTuple):
    number: int
    wire_type: int
    value: int  # of a varint
    start: int  # of the bytes
    stop: int


class _Attribute(NamedTuple):
    name: bytes
    integer: int
    integers: bytes  # a run of numbers, each with its key
    tensor: bytes  # raw data
    items: int  # of the tensor


def _decode_varint(varint: bytes) -> int:
    number = 0
    for byte in reversed(varint):
        number = number << 7 | byte & 127
    return number


def _decode_indices(integers: bytes) -> array[int]:
    """Decode the indices of an attribute; there may be millions.

    Those whose varints are equally long are decoded at once: byte by byte, in elements of 32 bits
    of one long integer.
    """
    indices, stop = array("I"), 0
    for run in _SAME_LENGTH.finditer(integers):
        data, length = run.group(), run.lastindex or 1
        count, elements = len(data) // (length + 1), 0
        for byte in range(length):
            column = bytearray(4 * count)
            column[::4] = data[byte + 1 :: length + 1].translate(_LOW_BITS)
            elements |= int.from_bytes(column, "little") << 7 * byte
        indices.frombytes(elements.to_bytes(4 * count, "little"))
        stop += len(data)
    if stop < len(integers):
        _reject("a tree has an index that is negative or too large")
    return indices


def audit(model: bytes) -> None:
    """Raise `InvalidArtifact` if an ONNX file is not one that this project's exporter writes."""
    try:
        _Audit(model).check_model()
    except IndexError:
        _reject("it is cut short")


class _Audit:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._fields_left = MAX_FIELDS
        self._sizes: set[bytes] = set()  # names of inputs that are sizes
        self._too_large: set[bytes] = set()  # names of constants that would be too large as one

    def check_model(self) -> None:
        for field in self._fields(0, len(self._data), _MODEL_FIELDS):
            if field.number == 7:
                self._check_graph(field, 0)
        if self._sizes & self._too_large:
            _reject("a constant asks for too much memory")

    def _check_graph(self, graph: _Field, depth: int) -> None:
        if depth > MAX_SUBGRAPH_DEPTH:
            _reject("its graphs are nested too deep")
        for field in self._fields(graph.start, graph.stop, _GRAPH_FIELDS):
            if field.number == 1:
                self._check_node(field, depth)
            elif field.number == 5:
                self._check_tensor(field)

    def _check_node(self, node: _Field, depth: int) -> None:
        operator = domain = b""
        attributes, inputs = [], []
        for field in self._fields(node.start, node.stop, _NODE_FIELDS):
            if field.number == 1:
                inputs.append(self._data[field.start : field.stop])
            elif field.number == 4:
                operator = self._data[field.start : field.stop]
            elif field.number == 5:
                attributes.append(field)
            elif field.number == 7:
                domain = self._data[field.start : field.stop]
        if operator not in OPERATORS.get(domain, ()):
            _reject("it holds an operator that is not allowed")
        self._sizes.update(inputs[_SIZE_INPUTS.get(operator, slice(0))])
        read = [self._read_attribute(attribute, depth) for attribute in attributes]
        if operator == b"TreeEnsemble":
            _check_trees(read)

    def _read_attribute(self, field: _Field, depth: int) -> _Attribute:
        """Check the tensors and graphs of an attribute, and return what a tree may need of it."""
        name = integers = tensor = b""
        integer = items = 0
        for part in self._fields(field.start, field.stop, _ATTRIBUTE_FIELDS, _NUMBERS):
            if part.number == 1:
                name = self._data[part.start : part.stop]
            elif part.number == 3:
                integer = part.value
            elif part.number == 5:
                tensor, items = self._check_tensor(part)
            elif part.number == 6:
                self._check_graph(part, depth + 1)
            elif part.number == 8:
                if integers or self._data[part.start] != 0x40:
                    _reject("an attribute holds more than one list")
                integers = self._data[part.start : part.stop]
        return _Attribute(name, integer, integers, tensor, items)

    def _check_tensor(self, tensor: _Field) -> tuple[bytes, int]:
        """Check that a tensor holds the items that its shape needs; return raw data and count."""
        shape, data_type, items, data, raw = [], 0, 0, 0, b""
        name = packed = b""
        for field in self._fields(tensor.start, tensor.stop, _TENSOR_FIELDS):
            number, length = field.number, field.stop - field.start
            if number in (1, 2) and field.wire_type != _VARINT:
                _reject("a tensor has a packed shape")
            if number == 1:
                shape.append(field.value)
            elif number == 2:
                data_type = field.value
            elif number == 8:
                name = self._data[field.start : field.stop]
            elif number == 9:
                data += 1
                raw = self._data[field.start : field.stop]
                items += length // _ITEM_BYTES.get(data_type, 1)
                if length % _ITEM_BYTES.get(data_type, 1):
                    _reject("a tensor has half an item")
            elif number in _FIXED_DATA or number in _VARINT_DATA:
                if field.wire_type != _BYTES:
                    _reject("a tensor has items that are not packed")
                data += 1
                if number in _FIXED_DATA:
                    items += length // _FIXED_DATA[number]
                else:
                    packed = self._data[field.start : field.stop]
                    items += len(packed.translate(None, _NOT_LAST))
        if data_type not in _ITEM_BYTES:
            _reject("a tensor holds no numbers")
        if data > 1 or prod(shape) != items:
            _reject("a tensor does not hold what its shape needs")
        if data_type == _INT64 and items <= _MAX_SIZE_ITEMS:
            numbers = array("q", raw) if raw else map(_decode_varint, _ITEM.findall(packed))
            if prod(max(abs(number), 1) for number in numbers) > MAX_CONSTANT_SIZE:
                self._too_large.add(name)
        return raw, items

    def _fields(
        self,
        start: int,
        stop: int,
        allowed: frozenset[int],
        runs: dict[int, re.Pattern[bytes]] | None = None,
    ) -> Iterator[_Field]:
        """Iterate over the fields of a message; a run of numbers in a list counts as one."""
        data = self._data
        while start < stop:
            self._fields_left -= 1
            if self._fields_left < 0:
                _reject("it has too many fields")
            run = runs and data[start] in runs and runs[data[start]].match(data, start, stop)
            if run:
                yield _Field(data[start] >> 3, _BYTES, 0, start, run.end())
                start = run.end()
                continue
            key, start = self._varint(start)
            number, wire_type = key >> 3, key & 7
            if number not in allowed:
                _reject("it holds a field that is not allowed")
            value, end = 0, start
            if wire_type == _BYTES:
                value, start = self._varint(start)
                end = start + value
            elif wire_type == _VARINT:
                value, end = self._varint(start)
            elif wire_type in (_FIXED32, _FIXED64):
                end = start + (4 if wire_type == _FIXED32 else 8)
            else:
                _reject("it is not in protobuf's encoding")
            if end > stop:
                _reject("it is cut short")
            yield _Field(number, wire_type, value, start, end)
            start = end

    def _varint(self, start: int) -> tuple[int, int]:
        """Decode a varint; return it and where it ends."""
        data = self._data
        value = shift = 0
        while (byte := data[start]) > 127:
            value |= (byte & 127) << shift
            start, shift = start + 1, shift + 7
            if shift > _LONGEST_SHIFT:
                _reject("it is not in protobuf's encoding")
        return value | byte << shift, start + 1


def _check_trees(attributes: list[_Attribute]) -> None:
    """Check that a TreeEnsemble consists of trees, not too deep, whose lists fit together."""
    by_name = {attribute.name: attribute for attribute in attributes}
    required = _NODE_LISTS | _LEAF_LISTS | {b"tree_roots", b"n_targets"}
    if len(by_name) != len(attributes) or not required <= by_name.keys() <= (
        required | _TREE_ATTRIBUTES
    ):
        _reject("a tree has other attributes")

    def indices(name: str) -> array[int]:
        return _decode_indices(by_name[name.encode()].integers)

    true_ids, true_leaves = indices("nodes_truenodeids"), indices("nodes_trueleafs")
    false_ids, false_leaves = indices("nodes_falsenodeids"), indices("nodes_falseleafs")
    targets = indices("leaf_targetids")
    for names, count in ((_NODE_LISTS, len(true_ids)), (_LEAF_LISTS, len(targets))):
        for name in names:
            attribute = by_name[name]
            # Each integer has two bytes below 128: its key and its last.
            integer_count = len(attribute.integers.translate(None, _NOT_LAST)) // 2
            if count != (attribute.items or integer_count):
                _reject("the lists of a tree differ in length")
    if by_name[b"nodes_modes"].tensor.translate(None, _COMPARISONS):
        _reject("a tree has nodes that compare with a list")
    if not targets:
        _reject("a tree has no leaves")
    if max(targets) >= by_name[b"n_targets"].integer:
        _reject("a leaf of a tree has no such target")
    _check_nodes(
        zip(true_ids, true_leaves, false_ids, false_leaves, strict=True),
        len(true_ids),
        indices("tree_roots"),
        len(targets),
    )


def _check_nodes(
    nodes: Iterable[tuple[int, int, int, int]], count: int, roots: Iterable[int], leaf_count: int
) -> None:
    """Check that each node is a root or has one parent, before it, and that no tree is too deep."""
    depths = [0] * count
    for root in roots:
        if root >= count or depths[root]:
            _reject("a tree has no root of its own")
        depths[root] = 1
    for index, (true_id, true_leaf, false_id, false_leaf) in enumerate(nodes):
        depth = depths[index] + 1
        if not 1 < depth <= MAX_TREE_DEPTH:
            _reject("a tree is too deep, or a node has no parent before it")
        for child, is_leaf in ((true_id, true_leaf), (false_id, false_leaf)):
            if is_leaf:
                if child >= leaf_count:
                    _reject("a node of a tree has no such leaf")
            elif not index < child < count or depths[child]:
                _reject("a node of a tree is not after its one parent")
            else:
                depths[child] = depth


def _reject(reason: str) -> NoReturn:
    raise InvalidArtifact("unsafe content", f"The ONNX file is not allowed: {reason}.")
