"""Formulas that are written like numpy's and become nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

Operand = Any  # a Tensor, a numpy array or a number

MACHINE_LEARNING = "ai.onnx.ml"
MACHINE_LEARNING_VERSION = 5  # the first that has TreeEnsemble, with thresholds in float64
_ADMITTED_VERSION = 3  # skl2onnx refuses to write a later one; `finish` sets it right


class Graph:
    """The graph under construction.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
        What gives names.
    container : skl2onnx.common._container.ModelComponentContainer
        What takes nodes and constants.
    """

    def __init__(self, scope: Any, container: Any) -> None:
        self.scope = scope
        self.container = container
        self.answers: dict[tuple[int, str], Any] = {}  # of parts, so that none is written twice

    def op(self, kind: str, *inputs: Operand, domain: str = "", **attributes: Any) -> Tensor:
        """Add a node.

        Parameters
        ----------
        kind : str
            The ONNX operator.
        *inputs : Tensor, numpy.ndarray or number
            What it works on; whatever is no tensor of the graph becomes a constant.
        domain : str
            The operator's domain.
        **attributes : object
            The operator's attributes.

        Returns
        -------
        Tensor
            The node's only output.
        """
        output = self.scope.get_unique_variable_name(kind.lower())
        version = _ADMITTED_VERSION if domain else self.container.target_opset
        names = [self.tensor(each).name for each in inputs]
        self.container.add_node(
            kind, names, output, op_domain=domain, op_version=version, **attributes
        )
        return Tensor(self, output)

    def tensor(self, value: Operand) -> Tensor:
        """Give a tensor of the graph, for a constant too.

        Parameters
        ----------
        value : Tensor, numpy.ndarray, number or array of str
            A Python float or int is taken as float64.

        Returns
        -------
        Tensor
        """
        if isinstance(value, Tensor):
            return value
        array = np.asarray(value, dtype=np.float64 if isinstance(value, float | int) else None)
        name = self.scope.get_unique_variable_name("constant")
        if array.dtype.kind in "UO":
            content: Any = [str(each).encode() for each in array.ravel()]
            self.container.add_initializer(name, TensorProto.STRING, list(array.shape), content)
        else:
            constant = numpy_helper.from_array(array.copy(order="C"), name)
            self.container.add_initializer(name, constant.data_type, list(array.shape), constant)
        return Tensor(self, name)


class Tensor:
    """A tensor of the graph. Its operators and methods do what numpy's do, in float64.

    Parameters
    ----------
    graph : Graph
        The graph it belongs to.
    name : str
        Its name there.
    """

    __array_ufunc__ = None  # so that `array - tensor` comes to Tensor.__rsub__

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name

    def op(self, kind: str, *others: Operand, **attributes: Any) -> Tensor:
        """Add a node whose first input is this tensor."""
        return self.graph.op(kind, self, *others, **attributes)

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

    def equals(self, other: Operand) -> Tensor:
        """Compare element by element."""
        return self.op("Equal", other)

    def where(self, true: Operand, false: Operand) -> Tensor:
        """Choose, this tensor being the condition."""
        return self.op("Where", true, false)

    def cast(self, dtype: npt.DTypeLike) -> Tensor:
        """Give it another type."""
        return self.op("Cast", to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def sum(self, axis: int = 1) -> Tensor:
        """Sum over an axis, which is kept."""
        return self.op("ReduceSum", np.array([axis]), keepdims=1)

    def running_sum(self, axis: int) -> Tensor:
        """Sum over an axis, which goes, from its first element to its last.

        ONNX leaves open in which order `ReduceSum` adds; another order makes other ties than
        scikit-learn's loops.
        """
        return self.op("CumSum", np.array(axis)).op("Gather", np.array(-1), axis=axis)

    def argmax(self) -> Tensor:
        """Give the first position of each row's largest value."""
        return self.op("ArgMax", axis=1, keepdims=0)

    def argmin(self) -> Tensor:
        """Give the first position of each row's smallest value."""
        return self.op("ArgMin", axis=1, keepdims=0)

    def take(self, indices: Operand, axis: int) -> Tensor:
        """Give the elements at some positions of an axis."""
        return self.op("Gather", indices, axis=axis)

    def columns(self, indices: Sequence[int] | npt.NDArray[Any]) -> Tensor:
        """Give some columns."""
        return self.take(np.asarray(indices, dtype=np.int64), axis=1)

    def column(self, index: int) -> Tensor:
        """Give a column as a matrix of one."""
        return self.columns([index])

    def reshape(self, *shape: int) -> Tensor:
        """Give it another shape."""
        return self.op("Reshape", np.array(shape, dtype=np.int64))

    def clip(self, low: Operand, high: Operand) -> Tensor:
        """Limit its values."""
        return self.op("Clip", low, high)

    def exp(self) -> Tensor:
        """Raise e to its powers."""
        return self.op("Exp")

    def log(self) -> Tensor:
        """Take the natural logarithm."""
        return self.op("Log")

    def sqrt(self) -> Tensor:
        """Take the square root."""
        return self.op("Sqrt")

    def abs(self) -> Tensor:
        """Drop the sign."""
        return self.op("Abs")

    def sigmoid(self) -> Tensor:
        """Give 1 / (1 + exp(-x))."""
        return self.op("Sigmoid")

    def softmax(self) -> Tensor:
        """Give each row's exponentials divided by their sum."""
        return self.op("Softmax", axis=1)


def concatenate(parts: Sequence[Tensor]) -> Tensor:
    """Put matrices side by side.

    Parameters
    ----------
    parts : sequence of Tensor
        At least one; all have as many rows.

    Returns
    -------
    Tensor
    """
    first = parts[0]
    return first.op("Concat", *parts[1:], axis=1) if len(parts) > 1 else first


def add_in_order(parts: Sequence[Tensor]) -> Tensor:
    """Add tensors, one after another, as Python's `sum` does.

    Parameters
    ----------
    parts : sequence of Tensor
        At least one.

    Returns
    -------
    Tensor
    """
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
