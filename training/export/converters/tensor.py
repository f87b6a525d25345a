"""Formulas written like NumPy's that become nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

Operand = Any  # a Tensor, a NumPy array or a number

ML_DOMAIN = "ai.onnx.ml"
ML_OPSET = 5  # the first with TreeEnsemble, whose thresholds are float64
_DECLARED_ML_OPSET = 3  # skl2onnx rejects a later one; `prune_graph` sets ML_OPSET


class Graph:
    """The graph under construction.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
        Makes unique names.
    container : skl2onnx.common._container.ModelComponentContainer
        Collects nodes and constants.
    """

    def __init__(self, scope: Any, container: Any) -> None:
        self.scope = scope
        self.container = container
        # The outputs of each estimator for each input, so that none is converted twice.
        self.converted: dict[tuple[int, str], Any] = {}

    def op(self, op_type: str, *inputs: Operand, domain: str = "", **attributes: Any) -> Tensor:
        """Add a node and return its only output; operands that are not tensors become constants."""
        output = self.scope.get_unique_variable_name(op_type.lower())
        version = _DECLARED_ML_OPSET if domain else self.container.target_opset
        names = [self.tensor(operand).name for operand in inputs]
        self.container.add_node(
            op_type, names, output, op_domain=domain, op_version=version, **attributes
        )
        return Tensor(self, output)

    def tensor(self, value: Operand) -> Tensor:
        """Return a tensor of the graph, a constant for a value that is none.

        A Python number becomes float64; an array keeps its type.
        """
        if isinstance(value, Tensor):
            return value
        array = np.asarray(value, dtype=np.float64 if isinstance(value, float | int) else None)
        name = self.scope.get_unique_variable_name("constant")
        if array.dtype.kind in "UO":
            content: Any = [str(text).encode() for text in array.ravel()]
            self.container.add_initializer(name, TensorProto.STRING, list(array.shape), content)
        else:
            constant = numpy_helper.from_array(array.copy(order="C"), name)
            self.container.add_initializer(name, constant.data_type, list(array.shape), constant)
        return Tensor(self, name)


class Tensor:
    """A named tensor of a graph. Its operators and methods work like NumPy's, in float64."""

    __array_ufunc__ = None  # makes NumPy leave `array - tensor` to Tensor.__rsub__

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name

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

    def abs(self) -> Tensor:
        """Return the absolute value."""
        return self.op("Abs")

    def sigmoid(self) -> Tensor:
        """Return 1 / (1 + exp(-x))."""
        return self.op("Sigmoid")

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
