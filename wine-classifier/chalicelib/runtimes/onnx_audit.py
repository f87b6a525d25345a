"""The audit of an ONNX file: what ONNX Runtime, which trusts a file, must not read.

A hostile file names other files to read, never ends, takes all memory, or overflows the stack. So
only the operators that this project's exporter writes are allowed, the bytes of each tensor must be
those that its shape needs, trees are trees of a bounded depth, and what the graph computes may not
be much more than its constants (`chalicelib.runtimes.onnx_sizes`). Fields, types and numbers are
those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, in the encoding of
https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from math import prod

from chalicelib.named_tuple import NamedTuple
from chalicelib.runtimes.onnx_attributes import (
    NOT_LAST,
    Attribute,
    StoredTensor,
    decode_varint,
    signed,
    sizing,
)
from chalicelib.runtimes.onnx_shapes import Constant, Graph, Node, reject
from chalicelib.runtimes.onnx_sizes import check_sizes
from chalicelib.runtimes.onnx_trees import check_trees

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
MAX_SUBGRAPH_DEPTH = 4
MAX_FIELDS = 1_000_000  # so that an audit ends within seconds; lists of numbers count once

_LONGEST_SHIFT = 63  # of the last of a varint's ten bytes
_MAX_SIZE_ITEMS = 16  # of a constant that may be a shape
_MIN_OPSET = 13  # the first whose axes are inputs
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types

# Fields that are allowed, of messages of which this module reads only a few.
_MODEL_FIELDS = frozenset([1, 2, 3, 4, 5, 6, 7, 8, 14])
_OPSET_FIELDS = frozenset([1, 2])
_GRAPH_FIELDS = frozenset([1, 2, 5, 10, 11, 12, 13])
_NODE_FIELDS = frozenset([1, 2, 3, 4, 5, 6, 7])
_ATTRIBUTE_FIELDS = frozenset([1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 20])
_TENSOR_FIELDS = frozenset([1, 2, 4, 5, 7, 8, 9, 10, 12])

_ITEM_BYTES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 11: 8}  # by data_type
_INT64 = 7
_FIXED_DATA = {4: 4, 10: 8}  # float_data, double_data: bytes of an item
_VARINT_DATA = (5, 7)  # int32_data, int64_data

# The lists of an attribute are long, and not packed: each number has its key.
_NUMBERS = {
    0x3D: re.compile(rb"(?:\x3d.{4})++", re.DOTALL),  # floats
    0x40: re.compile(rb"(?:\x40[\x80-\xff]{0,9}[\x00-\x7f])++"),  # ints
}
_ITEM = rb"[\x80-\xff]*[\x00-\x7f]"  # of a packed list


class _Field(NamedTuple):
    number: int
    wire_type: int
    value: int  # of a varint
    start: int  # of the bytes
    stop: int


def audit(model: bytes) -> None:
    """Raise `InvalidArtifact` if an ONNX file is not one that this project's exporter writes."""
    try:
        _Audit(model).check_model()
    except IndexError:
        reject("it is cut short")


class _Audit:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._view = memoryview(data)  # a copy of all weights takes as long as the rest
        self._fields_left = MAX_FIELDS

    def check_model(self) -> None:
        graphs, opsets = [], []
        for field in self._fields(0, len(self._data), _MODEL_FIELDS):
            if field.number == 7:
                graphs.append(self._read_graph(field, 0))
            elif field.number == 8:
                opsets.append(self._read_opset(field))
        if min((version for domain, version in opsets if not domain), default=0) < _MIN_OPSET:
            reject("its operators are of an old version")
        if len(graphs) != 1:  # protobuf would merge several
            reject("it has no graph, or more than one")
        check_sizes(graphs[0])

    def _read_opset(self, opset: _Field) -> tuple[bytes, int]:
        domain, version = b"", 0
        for field in self._fields(opset.start, opset.stop, _OPSET_FIELDS):
            if field.number == 1:
                domain = self._data[field.start : field.stop]
            else:
                version = field.value
        return domain, version

    def _read_graph(self, graph: _Field, depth: int) -> Graph:
        """Check a graph and return what its sizes depend on."""
        if depth > MAX_SUBGRAPH_DEPTH:
            reject("its graphs are nested too deep")
        read = Graph({}, [], {}, [])
        for field in self._fields(graph.start, graph.stop, _GRAPH_FIELDS):
            if field.number == 1:
                read.nodes.append(self._read_node(field, depth))
            elif field.number == 5:
                tensor = self._check_tensor(field)
                if tensor.name in read.constants:
                    reject("two constants have the same name")
                read.constants[tensor.name] = Constant(tensor.shape, tensor.values)
            elif field.number == 11:
                name, shape = self._read_value_info(field)
                read.inputs[name] = shape
            elif field.number == 12:
                read.outputs.append(self._read_value_info(field)[0])
        return read

    def _read_value_info(self, info: _Field) -> tuple[bytes, tuple[int, ...]]:
        """Return the name and the shape of an input or output; 0 for what has no fixed size."""
        name, shape = b"", []
        for field in self._fields(info.start, info.stop):
            if field.number == 1:
                name = self._data[field.start : field.stop]
            for dimension in self._descend([field], 2, 1, 2, 1):
                values = self._fields(dimension.start, dimension.stop)
                shape.append(next((each.value for each in values if each.number == 1), 0))
        return name, tuple(shape)

    def _descend(self, fields: Iterable[_Field], number: int, *path: int) -> Iterator[_Field]:
        """Iterate over the fields at a path of numbers of nested messages."""
        for field in fields:
            if field.number == number and path:
                yield from self._descend(self._fields(field.start, field.stop), *path)
            elif field.number == number:
                yield field

    def _read_node(self, node: _Field, depth: int) -> Node:
        """Check a node and return what its sizes depend on."""
        operator = domain = b""
        attributes, inputs, outputs = [], [], []
        for field in self._fields(node.start, node.stop, _NODE_FIELDS):
            if field.number == 1:
                inputs.append(self._data[field.start : field.stop])
            elif field.number == 2:
                outputs.append(self._data[field.start : field.stop])
            elif field.number == 4:
                operator = self._data[field.start : field.stop]
            elif field.number == 5:
                attributes.append(field)
            elif field.number == 7:
                domain = self._data[field.start : field.stop]
        if operator not in OPERATORS.get(domain, ()):
            reject("it holds an operator that is not allowed")
        read = [self._read_attribute(attribute, depth) for attribute in attributes]
        if len({attribute.name for attribute in read}) != len(read):
            reject("a node has an attribute twice")
        if operator == b"TreeEnsemble":
            check_trees(read)
        return Node(operator, inputs, outputs, sizing(read))

    def _read_attribute(self, field: _Field, depth: int) -> Attribute:
        """Check the tensors and graphs of an attribute, and return what others need of it."""
        name = integers = b""
        integer, tensors, graphs = 0, [], []
        for part in self._fields(field.start, field.stop, _ATTRIBUTE_FIELDS, _NUMBERS):
            if part.number == 1:
                name = self._data[part.start : part.stop]
            elif part.number == 3:
                integer = part.value
            elif part.number == 5:
                tensors.append(self._check_tensor(part))
            elif part.number == 6:
                graphs.append(self._read_graph(part, depth + 1))
            elif part.number == 8:
                if integers or self._data[part.start] != 0x40:
                    reject("an attribute holds more than one list")
                integers = self._data[part.start : part.stop]
        if len(tensors) > 1 or len(graphs) > 1:
            reject("an attribute holds more than one value")
        tensor = tensors[0] if tensors else StoredTensor()
        return Attribute(name, integer, integers, tensor, graphs[0] if graphs else None)

    def _check_tensor(self, tensor: _Field) -> StoredTensor:
        """Check that a tensor holds the items that its shape needs, and return it."""
        shape, data_type, items, data = [], 0, 0, 0
        name = packed = b""
        raw = memoryview(b"")
        for field in self._fields(tensor.start, tensor.stop, _TENSOR_FIELDS):
            number, length = field.number, field.stop - field.start
            if number in (1, 2) and field.wire_type != _VARINT:
                reject("a tensor has a packed shape")
            if number == 1:
                shape.append(field.value)
            elif number == 2:
                data_type = field.value
            elif number == 8:
                name = self._data[field.start : field.stop]
            elif number == 9:
                data += 1
                raw = self._view[field.start : field.stop]
            elif number in _FIXED_DATA or number in _VARINT_DATA:
                if field.wire_type != _BYTES:
                    reject("a tensor has items that are not packed")
                data += 1
                if number in _FIXED_DATA:
                    items += length // _FIXED_DATA[number]
                else:
                    packed = self._data[field.start : field.stop]
                    items += len(packed.translate(None, NOT_LAST))
        if data_type not in _ITEM_BYTES:
            reject("a tensor holds no numbers")
        raw_items, rest = divmod(len(raw), _ITEM_BYTES[data_type])  # the last type counts
        if rest:
            reject("a tensor has half an item")
        items += raw_items
        if data > 1 or prod(shape) != items:
            reject("a tensor does not hold what its shape needs")
        values = None
        if data_type == _INT64 and items <= _MAX_SIZE_ITEMS:
            packed_values = (signed(decode_varint(each)) for each in re.findall(_ITEM, packed))
            values = tuple(array("q", bytes(raw)) if raw else packed_values)
        return StoredTensor(name, tuple(shape), items, raw, values)

    def _fields(
        self,
        start: int,
        stop: int,
        allowed: frozenset[int] | None = None,
        runs: dict[int, re.Pattern[bytes]] | None = None,
    ) -> Iterator[_Field]:
        """Iterate over the fields of a message; a run of numbers in a list counts as one."""
        data = self._data
        while start < stop:
            self._fields_left -= 1
            if self._fields_left < 0:
                reject("it has too many fields")
            run = runs and data[start] in runs and runs[data[start]].match(data, start, stop)
            if run:
                yield _Field(data[start] >> 3, _BYTES, 0, start, run.end())
                start = run.end()
                continue
            key, start = self._varint(start)
            number, wire_type = key >> 3, key & 7
            if allowed is not None and number not in allowed:
                reject("it holds a field that is not allowed")
            value, end = 0, start
            if wire_type == _BYTES:
                value, start = self._varint(start)
                end = start + value
            elif wire_type == _VARINT:
                value, end = self._varint(start)
            elif wire_type in (_FIXED32, _FIXED64):
                end = start + (4 if wire_type == _FIXED32 else 8)
            else:
                reject("it is not in protobuf's encoding")
            if end > stop:
                reject("it is cut short")
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
                reject("it is not in protobuf's encoding")
        return value | byte << shift, start + 1
