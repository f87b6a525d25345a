"""A session that leaves the sum of a graph's trees to compiled code.

`training.scoring.leaf_masks` adds small trees, and `training.scoring.trees` larger ones.

ONNX Runtime computes what comes before and after it. The graphs of forests, boosted trees and
decision trees, alone or after transformers, have this form::

    samples -> ... -> TreeEnsemble -> Cast -> Gather -> CumSum -> Gather -> ... -> class_index
"""

from __future__ import annotations

from array import array
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from chalicelib.runtimes.onnx_capi import OnnxRuntimeError
from chalicelib.runtimes.onnx_session import Session
from training.export.unused_nodes import drop_unused
from training.scoring import leaf_masks, trees
from training.scoring.trees import Trees, join_trees, read_trees

_ROWS_PER_RUN = 8_192
_VALUES_PER_RUN = 1_000_000
_CUT = "cut"  # the tensor that one graph returns and the other takes


class UnknownForm(Exception):
    """The graph is no sum of trees, between a matrix of known width and the outputs."""


class TreeSession:
    """Computes what `chalicelib.runtimes.onnx_session.Session` does, to the last bit.

    Parameters
    ----------
    model : bytes
        The ONNX file.

    Attributes
    ----------
    trees : Trees
    masks : LeafMasks or None
        The trees as masks, if all are small.
    rows_per_run : int
        As many as fit the processor's cache.

    Raises
    ------
    UnknownForm
    """

    def __init__(self, model: bytes) -> None:
        self._sum = _Matcher(onnx.load_from_string(model).graph).find_sum()
        table, start = self._sum.table, self._sum.start
        self.trees = self._sum.read_trees()
        try:
            self._before, self._after = (
                Session(_graph_before(onnx.load_from_string(model), self._sum.input)),
                Session(_graph_after(onnx.load_from_string(model), self._sum)),
            )
        except OnnxRuntimeError as error:  # what comes after needs the samples, for instance
            raise UnknownForm from error
        [width] = self._before.row_shapes[0]
        # The compiled code does not check its indices.
        _require(int(self.trees.columns.max()) // 2 < width)
        _require(int(self.trees.leaves.max()) < len(table))
        self.masks = leaf_masks.mask_leaves(self.trees, table, len(start))
        self._add(np.zeros((1, width)))  # compiles
        self.rows_per_run = max(1, min(_ROWS_PER_RUN, _VALUES_PER_RUN // width))

    def run(self, rows: int, matrix: Any) -> list[array[Any]]:
        """Return the outputs for a matrix, both as `Session.run` has them."""
        [values] = self._before.run(rows, matrix)
        sums = self._add(np.frombuffer(values, np.float64).reshape(rows, -1))
        flat: Any = sums.T.astype(np.float64).ravel()
        return self._after.run(rows, flat)

    def _add(self, X: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        sums = np.repeat(self._sum.start[:, np.newaxis], len(X), axis=1)
        if self.masks is not None:
            leaf_masks.add_leaves(X, self.masks, sums)
        else:
            trees.add_leaves(X, self.trees, self._sum.table, sums)
        return sums


class _Sum(NamedTuple):
    """The sum of the leaves of all trees.

    Parameters
    ----------
    input, output : str
        Names of tensors: the matrix that the trees compare, and the sums.
    ensembles : list of NodeProto
    table : numpy.ndarray
        See `add_leaves`.
    start : numpy.ndarray
        What each column begins with.
    """

    input: str
    output: str
    ensembles: list[NodeProto]
    table: npt.NDArray[Any]
    start: npt.NDArray[Any]

    def read_trees(self) -> Trees:
        """Return the trees of all ensembles."""
        try:
            return join_trees([read_trees(_attributes(node)) for node in self.ensembles])
        except ValueError as error:
            raise UnknownForm from error


class _Matcher:
    """Finds how `training.export.converters.tree` adds trees."""

    def __init__(self, graph: GraphProto) -> None:
        self._nodes = graph.node
        self._producers = {name: node for node in graph.node for name in node.output}
        self._constants = {tensor.name: tensor for tensor in graph.initializer}

    def find_sum(self) -> _Sum:
        """Return the sum; raise `UnknownForm` if there is none, or another ensemble."""
        count = sum(node.op_type == "TreeEnsemble" for node in self._nodes)
        for node in self._nodes:
            with suppress(UnknownForm):
                found = self._match(node)
                if len(found.ensembles) == count:
                    return found
        raise UnknownForm

    def _match(self, last: NodeProto) -> _Sum:
        _require(last.op_type == "Gather" and _attributes(last) == {"axis": 1})
        _require(self._constant(last.input[1]).tolist() == -1)
        added = self._producer(last.input[0], "CumSum")
        _require(not added.attribute and self._constant(added.input[1]).tolist() == 1)
        terms, columns, start = self._producer(added.input[0]), None, None
        if terms.op_type == "Reshape":
            zero, minus_one, columns = self._constant(terms.input[1]).tolist()
            _require((zero, minus_one) == (0, -1))
            terms = self._producer(terms.input[0])
        if terms.op_type == "Concat":
            first, values = terms.input
            if columns is None:
                first = self._producer(first, "Unsqueeze").input[0]
            start = self._constant(self._producer(first, "Expand").input[0])
            terms = self._producer(values)
        _require(terms.op_type == "Gather" and _attributes(terms) == {"axis": 0})
        table = self._constant(terms.input[0])
        _require(table.ndim == (2 if columns is None else 1))
        indices = self._producer(self._producer(terms.input[1], "Cast").input[0])
        ensembles = [indices]
        if indices.op_type == "Concat":
            ensembles = [self._producer(name) for name in indices.input]
        _require(all(node.op_type == "TreeEnsemble" for node in ensembles))
        [matrix] = {node.input[0] for node in ensembles}
        table = table.reshape(len(table), -1)
        if start is None:  # only minus zero is neutral for minus zero
            start = np.full(columns or table.shape[1], -0.0, table.dtype)
        return _Sum(matrix, last.output[0], ensembles, table, start.ravel())

    def _producer(self, name: str, op_type: str | None = None) -> NodeProto:
        _require(name in self._producers)
        node: NodeProto = self._producers[name]
        _require(op_type in (None, node.op_type))
        return node

    def _constant(self, name: str) -> npt.NDArray[Any]:
        _require(name in self._constants)
        return numpy_helper.to_array(self._constants[name])


def _require(condition: bool) -> None:
    if not condition:
        raise UnknownForm


def _attributes(node: NodeProto) -> dict[str, Any]:
    """Return the attributes of a node: numbers, and lists and tensors as arrays."""
    values = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    return {
        name: numpy_helper.to_array(value)
        if isinstance(value, TensorProto)
        else np.asarray(value)
        if isinstance(value, list)
        else value
        for name, value in values.items()
    }


def _graph_before(model: ModelProto, matrix: str) -> bytes:
    """Return the graph that computes the matrix that the trees compare."""
    model.graph.node.append(helper.make_node("Identity", [matrix], [_CUT]))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(_CUT, TensorProto.DOUBLE, [None, None]))
    drop_unused(model.graph)
    return bytes(model.SerializeToString())


def _graph_after(model: ModelProto, found: _Sum) -> bytes:
    """Return the graph that computes the outputs from the sums."""
    nodes = [node for node in model.graph.node if found.output not in node.output]
    dtype = helper.np_dtype_to_tensor_dtype(found.table.dtype)
    del model.graph.node[:], model.graph.input[:]
    model.graph.node.append(helper.make_node("Cast", [_CUT], [found.output], to=dtype))
    model.graph.node.extend(nodes)
    width = len(found.start)
    model.graph.input.append(helper.make_tensor_value_info(_CUT, TensorProto.DOUBLE, [None, width]))
    drop_unused(model.graph)
    return bytes(model.SerializeToString())
