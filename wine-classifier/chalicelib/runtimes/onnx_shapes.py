"""The shapes of what the operators of a graph compute, from those of their inputs.

Where a shape depends on the data it is an upper bound; how many items `Compress` keeps is assumed.
The operators are those of opset 21: https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import zip_longest
from math import prod
from typing import NoReturn

from chalicelib.errors import InvalidArtifact
from chalicelib.named_tuple import NamedTuple

Shape = tuple[int, ...]

# That Compress is assumed to keep. The exporter writes it where it leaves the nearest samples.
_KEPT_ITEMS = 256


class Constant(NamedTuple):
    """A tensor of a graph's own."""

    shape: Shape
    values: Shape | None  # of a small one that holds integers


class Attributes(NamedTuple):
    """The attributes of a node that sizes depend on."""

    integers: dict[bytes, int]
    lists: dict[bytes, Shape]
    graphs: dict[bytes, Graph]
    items: int  # of all lists and tensors


class Node(NamedTuple):
    """A node of a graph; an input that is left out has an empty name."""

    operator: bytes
    inputs: list[bytes]
    outputs: list[bytes]
    attributes: Attributes


class Graph(NamedTuple):
    """A graph, with nodes in the order of their execution."""

    inputs: dict[bytes, Shape]  # 0: a dimension without a fixed size
    outputs: list[bytes]
    constants: dict[bytes, Constant]
    nodes: list[Node]


class Tensor(NamedTuple):
    """What is known of a tensor."""

    shape: Shape
    is_exact: bool = True  # else the dimensions are upper bounds
    values: Shape | None = None  # those of a shape; upper bounds too


Inputs = list[Tensor]


def _broadcast(*shapes: Shape) -> Shape:
    columns = zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1)
    return tuple(0 if 0 in column else max(column) for column in columns)[::-1]


def _axis(attributes: Attributes, rank: int, default: int = 0) -> int:
    axis = attributes.integers.get(b"axis", default)
    if not -rank <= axis < max(rank, 1):
        reject("an axis is out of range")
    return axis % rank if rank else 0


def _values(inputs: Inputs, index: int) -> Shape:
    """Return the values of an input that a size depends on."""
    values = inputs[index].values if index < len(inputs) else None
    if values is None:
        reject("a size depends on data")
    return values


def same_shape(_: Attributes, inputs: Inputs) -> list[Tensor]:
    """Return the shape of the first input."""
    return [Tensor(inputs[0].shape)]


def _keep_values(_: Attributes, inputs: Inputs) -> list[Tensor]:
    return [inputs[0]]


def _elementwise(_: Attributes, inputs: Inputs) -> list[Tensor]:
    return [Tensor(_broadcast(*(each.shape for each in inputs)))]


def _reduce(attributes: Attributes, inputs: Inputs) -> list[Tensor]:
    shape = inputs[0].shape
    axes: Iterable[int] = attributes.lists.get(b"axes", range(len(shape)))
    axes = _values(inputs, 1) if len(inputs) > 1 else axes
    return [_remove(shape, axes, attributes)]


def _arg(attributes: Attributes, inputs: Inputs) -> list[Tensor]:
    shape = inputs[0].shape
    return [_remove(shape, [_axis(attributes, len(shape))], attributes)]


def _remove(shape: Shape, axes: Iterable[int], attributes: Attributes) -> Tensor:
    removed = {axis % len(shape) if shape else 0 for axis in axes}
    if attributes.integers.get(b"keepdims", 1):
        return Tensor(tuple(1 if i in removed else size for i, size in enumerate(shape)))
    return Tensor(tuple(size for i, size in enumerate(shape) if i not in removed))


def _concat(attributes: Attributes, inputs: Inputs) -> list[Tensor]:
    shapes = [each.shape for each in inputs]
    axis = _axis(attributes, len(shapes[0]))
    if {len(shape) for shape in shapes} != {len(shapes[0])}:
        reject("the parts of a tensor differ in rank")
    shape = list(map(max, *shapes)) if len(shapes) > 1 else list(shapes[0])
    shape[axis] = sum(each[axis] for each in shapes)
    known = [each.values for each in inputs if each.values is not None]
    values = tuple(v for each in known for v in each) if len(known) == len(inputs) else None
    return [Tensor(tuple(shape), values=values)]


def _compress(attributes: Attributes, inputs: Inputs) -> list[Tensor]:
    shape = list(inputs[0].shape)
    axis = _axis(attributes, len(shape))
    shape[axis] = min(shape[axis], _KEPT_ITEMS)
    return [Tensor(tuple(shape), is_exact=False)]


def _expand(_: Attributes, inputs: Inputs) -> list[Tensor]:
    return [Tensor(_broadcast(inputs[0].shape, _values(inputs, 1)))]


def _flatten(attributes: Attributes, inputs: Inputs) -> list[Tensor]:
    shape = inputs[0].shape
    axis = attributes.integers.get(b"axis", 1)
    return [Tensor((prod(shape[:axis]), prod(shape[axis:])))]


def _gather(attributes: Attributes, inputs: Inputs) -> list[Tensor]:
    data, indices = inputs[:2]
    axis = _axis(attributes, len(data.shape))
    values = None
    if data.values is not None and indices.values is not None:
        count = len(data.values)
        values = tuple(data.values[i] for i in indices.values if -count <= i < count)
    shape = data.shape[:axis] + indices.shape + data.shape[axis + 1 :]
    return [Tensor(shape, values=values)]


def _gather_elements(_: Attributes, inputs: Inputs) -> list[Tensor]:
    return [Tensor(inputs[1].shape)]


def _extract(_: Attributes, inputs: Inputs) -> list[Tensor]:
    shape = inputs[0].shape
    return [Tensor((*(shape[:-1] or (1,)), prod(inputs[1].shape)))]


def _matmul(_: Attributes, inputs: Inputs) -> list[Tensor]:
    first, second = inputs[0].shape, inputs[1].shape
    if not first or not second:
        reject("a factor of a product is a number")
    rows, columns = first[-2:-1], second[-1:] if len(second) > 1 else ()
    return [Tensor(_broadcast(first[:-2], second[:-2]) + rows + columns)]


def _pad(_: Attributes, inputs: Inputs) -> list[Tensor]:
    shape, pads = inputs[0].shape, _values(inputs, 1)
    axes = _values(inputs, 3) if len(inputs) > 3 else range(len(shape))
    sizes = list(shape)
    for index, axis in enumerate(axes):
        sizes[axis] += max(0, pads[index]) + max(0, pads[index + len(pads) // 2])
    return [Tensor(tuple(sizes))]


def _range(_: Attributes, inputs: Inputs) -> list[Tensor]:
    if not (inputs[0].is_exact and inputs[2].is_exact):
        reject("a size depends on data")
    [start], [limit], [step] = (_values(inputs, index) for index in range(3))
    if step < 1:
        reject("a range counts down")
    return [Tensor((len(range(start, max(limit, start), step)),))]


def _reshape(attributes: Attributes, inputs: Inputs) -> list[Tensor]:
    data, sizes = inputs[0], _values(inputs, 1)
    if attributes.integers.get(b"allowzero", 0):
        reject("a shape holds zeros")
    shape = [data.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    if -1 in shape:
        others = prod(size for size in shape if size != -1)
        is_known = inputs[1].is_exact and (data.is_exact or 0 not in sizes)
        shape[shape.index(-1)] = prod(data.shape) // (others if is_known and others else 1)
    if min(shape, default=0) < 0:
        reject("a shape is negative")
    return [Tensor(tuple(shape), inputs[1].is_exact, data.values)]


def _shape(attributes: Attributes, inputs: Inputs) -> list[Tensor]:
    integers = attributes.integers
    shape = inputs[0].shape[integers.get(b"start", 0) : integers.get(b"end")]
    return [Tensor((len(shape),), values=shape)]


def _slice(_: Attributes, inputs: Inputs) -> list[Tensor]:
    data, bounds = inputs[0], inputs[1:]
    if not all(each.is_exact and each.values is not None for each in bounds):
        return [Tensor(data.shape, is_exact=False)]
    starts, ends = _values(bounds, 0), _values(bounds, 1)
    axes = _values(bounds, 2) if len(bounds) > 2 else range(len(starts))
    steps = _values(bounds, 3) if len(bounds) > 3 else [1] * len(starts)
    shape, values = list(data.shape), data.values
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        part = slice(start, end, step)
        shape[axis] = len(range(*part.indices(shape[axis])))
        values = values and values[part]
    return [Tensor(tuple(shape), values=values)]


def _top_k(attributes: Attributes, inputs: Inputs) -> list[Tensor]:
    shape = list(inputs[0].shape)
    axis = _axis(attributes, len(shape), -1)
    values = inputs[1].values
    shape[axis] = min(shape[axis], max(values)) if values else shape[axis]
    return [Tensor(tuple(shape))] * 2


def _transpose(attributes: Attributes, inputs: Inputs) -> list[Tensor]:
    shape = inputs[0].shape
    order = attributes.lists.get(b"perm", tuple(reversed(range(len(shape)))))
    if sorted(order) != list(range(len(shape))):
        reject("a transposition is none")
    return [Tensor(tuple(shape[axis] for axis in order))]


def _trees(attributes: Attributes, inputs: Inputs) -> list[Tensor]:
    return [Tensor((inputs[0].shape[0], attributes.integers[b"n_targets"]))]


def _unsqueeze(_: Attributes, inputs: Inputs) -> list[Tensor]:
    shape, axes = list(inputs[0].shape), _values(inputs, 1)
    rank = len(shape) + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        shape.insert(axis, 1)
    return [Tensor(tuple(shape), values=inputs[0].values)]


# The other operators return a tensor with the shape of their first input.
INFER: dict[bytes, Callable[[Attributes, Inputs], list[Tensor]]] = {
    **dict.fromkeys(
        b"Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Min Mod Mul Or Pow Sub "
        b"Where".split(),
        _elementwise,
    ),
    **dict.fromkeys(b"ReduceMax ReduceMean ReduceMin ReduceSum ReduceSumSquare".split(), _reduce),
    **dict.fromkeys([b"ArgMax", b"ArgMin"], _arg),
    **dict.fromkeys([b"Cast", b"Identity"], _keep_values),
    b"ArrayFeatureExtractor": _extract,
    b"Compress": _compress,
    b"Concat": _concat,
    b"Expand": _expand,
    b"Flatten": _flatten,
    b"Gather": _gather,
    b"GatherElements": _gather_elements,
    b"MatMul": _matmul,
    b"Pad": _pad,
    b"Range": _range,
    b"Reshape": _reshape,
    b"Shape": _shape,
    b"Slice": _slice,
    b"TopK": _top_k,
    b"Transpose": _transpose,
    b"TreeEnsemble": _trees,
    b"Unsqueeze": _unsqueeze,
}


def either(first: Tensor, second: Tensor) -> Tensor:
    """Return the bounds of a tensor that is one of two."""
    if len(first.shape) != len(second.shape):
        reject("the branches of a condition differ")
    shape = tuple(map(max, first.shape, second.shape))
    is_exact = first.is_exact and second.is_exact and first.shape == second.shape
    return Tensor(shape, is_exact)


def reject(reason: str) -> NoReturn:
    """Raise `InvalidArtifact`."""
    raise InvalidArtifact("unsafe content", f"The ONNX file is not allowed: {reason}.")
