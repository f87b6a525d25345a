"""Formulas written like NumPy's that become nodes of an ONNX graph."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from chalicelib.runtimes.onnx_classifier import SAMPLES_INPUT

Operand = Any  # a Tensor, a NumPy array or a number

ML_DOMAIN = "ai.onnx.ml"
ML_OPSET = 5  # the first with TreeEnsemble, whose thresholds are float64


class Graph:
    """The graph under construction; its one input is a float64 matrix.

    Parameters
    ----------
    number_width : int
        Number of features that are not text: the first columns of the input. Encoded texts follow.
    """

    def __init__(self, number_width: int) -> None:
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.text_encoders: list[dict[str, Any]] = []  # as in the manifest
        self.width = number_width
        self.input = Tensor(self, SAMPLES_INPUT)
        # The outputs of each estimator for each input, so that none is converted twice.
        self.converted: dict[Any, Any] = {}
        self.rejections: list[Tensor] = []  # booleans, see reject
        self.rejects_small_values = False
        self._names = 0

    def op(self, op_type: str, *inputs: Operand, domain: str = "", **attributes: Any) -> Tensor:
        """Add a node and return its only output; operands that are not tensors become constants."""
        output = self.unique_name(op_type.lower())
        names = [self.tensor(operand).name for operand in inputs]
        self.nodes.append(helper.make_node(op_type, names, [output], domain=domain, **attributes))
        return Tensor(self, output)

    def tensor(self, value: Operand) -> Tensor:
        """Return a tensor of the graph, a constant for a value that is none.

        A Python number becomes float64; an array keeps its type.
        """
        if isinstance(value, Tensor):
            return value
        array = np.asarray(value, dtype=np.float64 if isinstance(value, float | int) else None)
        name = self.unique_name("constant")
        self.initializers.append(numpy_helper.from_array(array.copy(order="C"), name))
        return Tensor(self, name)

    def encode_text(self, encoder: dict[str, Any], width: int) -> Tensor:
        """Return the columns that a text encoder of `chalicelib.inputs.text_encoding` computes.

        Parameters
        ----------
        encoder : dict
            As in the manifest.
        width : int
            Number of columns.

        Returns
        -------
        Tensor of float64
            Shape (samples, width).
        """
        key = json.dumps(encoder)
        if key not in self.converted:
            bounds = np.array([self.width]), np.array([self.width + width]), np.array([1])
            self.converted[key] = self.input.op("Slice", *bounds)
            self.text_encoders.append(encoder)
            self.width += width
        columns: Tensor = self.converted[key]
        return columns

    def reject(self, is_invalid: Tensor, *, is_overflow: bool = False) -> None:
        """Make the probabilities NaN, which serving reports, where scikit-learn raises.

        Parameters
        ----------
        is_invalid : Tensor of bool
            Shape (samples, columns): a sample with a true value is rejected.
        is_overflow : bool, default=False
            Whether only values of an extreme size are rejected. An estimator without probabilities
            can be exported with these rejections only.
        """
        self.rejections.append(is_invalid)
        self.rejects_small_values |= not is_overflow

    def row_count(self) -> Tensor:
        """Return the number of samples, shape (1,)."""
        return self.input.op("Shape", start=0, end=1)

    def repeat(self, row: npt.NDArray[Any]) -> Tensor:
        """Return a row, shape (columns,), for every sample: shape (samples, columns)."""
        shape = self.row_count().op("Concat", np.array([1]), axis=0)
        return self.tensor(np.reshape(row, (1, -1))).op("Expand", shape)

    def subgraph(
        self,
        compute: Callable[[], Sequence[Tensor]],
        inputs: Sequence[ValueInfoProto] = (),
    ) -> GraphProto:
        """Return the nodes that a function adds as a graph for a node like `If` or `Scan`.

        Its outputs are the tensors that the function returns. It may use all tensors of this graph.
        """
        outer, self.nodes = self.nodes, []
        results = compute()
        inner, self.nodes = self.nodes, outer
        outputs = [helper.make_empty_tensor_value_info(result.name) for result in results]
        return helper.make_graph(inner, self.unique_name("subgraph"), inputs, outputs)

    def choose(
        self,
        condition: Tensor,
        if_true: Callable[[], Sequence[Tensor]],
        if_false: Callable[[], Sequence[Tensor]],
    ) -> list[Tensor]:
        """Return what one of two functions computes; only one of them runs.

        The condition is a boolean with one element.
        """
        branches = {
            "then_branch": self.subgraph(if_true),
            "else_branch": self.subgraph(if_false),
        }
        names = [self.unique_name("choice") for _ in branches["then_branch"].output]
        self.nodes.append(helper.make_node("If", [condition.name], names, **branches))
        return [Tensor(self, name) for name in names]

    def clear(self) -> None:
        """Drop the nodes and constants: tensors and their graph refer to each other."""
        self.nodes.clear()
        self.initializers.clear()

    def unique_name(self, prefix: str) -> str:
        """Return a name that no other tensor has."""
        self._names += 1
        return f"{prefix}_{self._names}"


class Tensor:
    """A named tensor of a graph. Its operators and methods work like NumPy's, in float64."""

    __array_ufunc__ = None  # makes NumPy leave `array - tensor` to Tensor.__rsub__

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name
        self.width: int | None = None  # number of columns, or of a vector's elements, if known

    @property
    def key(self) -> str:
        """Identifies the tensor in its graph."""
        return self.name

    def op(self, op_type: str, *others: Operand, **attributes: Any) -> Tensor:
        """Add a node whose first input is this tensor and return its only output."""
        return self.graph.op(op_type, self, *others, **attributes)

    def __add__(self, other: Operand) -> Tensor:
        return self.op("Add", other)

    def __sub__(self, other: Operand) -> Tensor:
        return self.op("Sub", other)

    def __rsub__(self, other: Operand) -> Tensor:
        return self.graph.op("Sub", other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return self.op("Mul", other)

    def __truediv__(self, other: Operand) -> Tensor:
        return self.op("Div", other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return self.graph.op("Div", other, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return self.op("MatMul", other)

    def __neg__(self) -> Tensor:
        return self.op("Neg")

    def __gt__(self, other: Operand) -> Tensor:
        return self.op("Greater", other)

    def __lt__(self, other: Operand) -> Tensor:
        return self.op("Less", other)

    def __ge__(self, other: Operand) -> Tensor:
        return self.op("GreaterOrEqual", other)

    def __le__(self, other: Operand) -> Tensor:
        return self.op("LessOrEqual", other)

    def equal(self, other: Operand) -> Tensor:
        """Compare element by element."""
        return self.op("Equal", other)

    def where(self, true: Operand, false: Operand) -> Tensor:
        """Select from `true` where this tensor is true, else from `false`."""
        return self.op("Where", true, false)

    def cast(self, dtype: npt.DTypeLike) -> Tensor:
        """Convert to another element type."""
        return self.op("Cast", to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def sum(self, axis: int = 1) -> Tensor:
        """Sum over an axis and keep it, with length 1."""
        return self.op("ReduceSum", np.array([axis]), keepdims=1)

    def max(self, axis: int = 1) -> Tensor:
        """Return the largest value over an axis, which is dropped."""
        return self.op("ReduceMax", np.array([axis]), keepdims=0)

    def sum_in_order(self, axis: int) -> Tensor:
        """Sum over an axis from its first element to its last, and drop the axis.

        ONNX does not define the order in which `ReduceSum` adds. Another order than that of
        scikit-learn's loops breaks ties differently.
        """
        return self.op("CumSum", np.array(axis)).op("Gather", np.array(-1), axis=axis)

    def argmax(self) -> Tensor:
        """Return the first index of each row's largest value."""
        return self.op("ArgMax", axis=1, keepdims=0)

    def argmin(self) -> Tensor:
        """Return the first index of each row's smallest value."""
        return self.op("ArgMin", axis=1, keepdims=0)

    def top_k(self, count: int) -> tuple[Tensor, Tensor]:
        """Return each row's smallest values, sorted, and their indices; the first of equal ones."""
        graph = self.graph
        names = [graph.unique_name(prefix) for prefix in ("smallest", "indices")]
        inputs = [self.name, graph.tensor(np.array([count])).name]
        graph.nodes.append(helper.make_node("TopK", inputs, names, largest=0))
        return Tensor(graph, names[0]), Tensor(graph, names[1])

    def map_rows(self, compute: Callable[[Tensor], Tensor], width: int) -> Tensor:
        """Compute a float64 matrix with so many columns row by row, which needs less memory.

        `compute` receives a row of this tensor, shape (1, columns), and returns one of the result.
        """
        graph = self.graph
        row = Tensor(graph, graph.unique_name("row"))

        def compute_row() -> list[Tensor]:
            return [compute(row.op("Unsqueeze", np.array([0]))).reshape(width)]

        source = helper.make_tensor_value_info(row.name, TensorProto.DOUBLE, [None])
        body = graph.subgraph(compute_row, [source])
        body.output[0].CopyFrom(
            helper.make_tensor_value_info(body.output[0].name, TensorProto.DOUBLE, [width])
        )
        rows = self.op("Scan", body=body, num_scan_inputs=1)
        rows.width = width
        return rows

    def slice(self, start: int, end: int) -> Tensor:
        """Select elements of a vector, or rows, from `start` up to `end`."""
        return self.op("Slice", np.array([start]), np.array([end]), np.array([0]))

    def append(self, value: float) -> Tensor:
        """Add an element of the same type to a vector."""
        return self.op("Concat", np.array([value]), axis=0)

    def take(self, indices: Operand, axis: int) -> Tensor:
        """Select elements by their indices along an axis."""
        return self.op("Gather", indices, axis=axis)

    def columns(self, indices: Sequence[int] | npt.NDArray[Any]) -> Tensor:
        """Select columns by their indices."""
        return self.take(np.asarray(indices, dtype=np.int64), axis=1)

    def column(self, index: int) -> Tensor:
        """Select one column, as a matrix of shape (rows, 1)."""
        return self.columns([index])

    def reshape(self, *shape: int) -> Tensor:
        """Change the shape."""
        return self.op("Reshape", np.array(shape, dtype=np.int64))

    def clip(self, low: Operand, high: Operand) -> Tensor:
        """Limit the values to a range."""
        return self.op("Clip", low, high)

    def exp(self) -> Tensor:
        """Return the exponential."""
        return self.op("Exp")

    def log(self) -> Tensor:
        """Return the natural logarithm."""
        return self.op("Log")

    def sqrt(self) -> Tensor:
        """Return the square root."""
        return self.op("Sqrt")

    def is_nan(self) -> Tensor:
        """Return true where a value is NaN."""
        return self.op("IsNaN")

    def reject_infinity(self, *, is_overflow: bool = True) -> Tensor:
        """Return this tensor; samples with an infinite value are rejected, see `Graph.reject`."""
        self.graph.reject(self.op("IsInf"), is_overflow=is_overflow)
        return self

    def abs(self) -> Tensor:
        """Return the absolute value."""
        return self.op("Abs")

    def sigmoid(self) -> Tensor:
        """Return 1 / (1 + exp(-x)).

        ONNX Runtime's `Sigmoid` is 0 from about -37 on, where scikit-learn still compares classes.
        """
        return 1.0 / ((-self).exp() + 1.0)

    def softmax(self) -> Tensor:
        """Return each row's exponentials divided by their sum."""
        return self.op("Softmax", axis=1)


def concatenate(matrices: Sequence[Tensor]) -> Tensor:
    """Join at least one matrix side by side; all have the same number of rows."""
    first = matrices[0]
    return first.op("Concat", *matrices[1:], axis=1) if len(matrices) > 1 else first


def add_in_order(terms: Sequence[Tensor]) -> Tensor:
    """Add at least one tensor, from the first to the last, as Python's `sum` does."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
