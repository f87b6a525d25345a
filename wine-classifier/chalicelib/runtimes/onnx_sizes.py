"""The sizes of the tensors that a graph computes, and the work, from the sizes of its constants.

A small graph can ask for any amount of memory or time: `Expand`, `MatMul` and `Concat` make large
tensors of small ones, and `Scan` repeats. So the shapes of all tensors are inferred for one run of
many rows, and compared with what the graph holds.
"""

from __future__ import annotations

from math import prod

from chalicelib.runtimes.onnx_shapes import (
    INFER,
    Graph,
    Inputs,
    Node,
    Tensor,
    either,
    reject,
    same_shape,
)

# A run, as of `chalicelib.runtimes.onnx_classifier`.
MAX_ROWS = 1_000
MAX_VALUES = 500_000
# Every item of a constant, and every column, stands for a number of items in all computed tensors
# together, and of operations, for each row; a node and the whole graph stand for some more.
MAX_ITEMS = 8
MAX_WORK = 400
_NODE_ITEMS = 100
_GRAPH_ITEMS = 2_500


_READS_IN_PART = frozenset([b"ArrayFeatureExtractor", b"Gather", b"Shape", b"Slice"])
_SCALAR = Tensor(())


def check_sizes(graph: Graph) -> None:
    """Raise `InvalidArtifact` if a run takes more memory or time than models of this size do."""
    shapes = list(graph.inputs.values())
    if len(shapes) != 1 or len(shapes[0]) != 2 or shapes[0][1] < 1:
        reject("its input is no matrix")
    width = shapes[0][1]
    rows = max(1, min(MAX_ROWS, MAX_VALUES // width))
    sizes = _Sizes(rows * (_count_items(graph) + width + _GRAPH_ITEMS))
    try:
        sizes.run(graph, {}, [Tensor((rows, width))])
    except (IndexError, KeyError, ValueError):
        reject("a node has other inputs, outputs or attributes")


def _count_items(graph: Graph) -> int:
    """Return the number of items in the constants of a graph, with some more for each node."""
    count = sum(prod(constant.shape) for constant in graph.constants.values())
    for node in graph.nodes:
        count += node.attributes.items + _NODE_ITEMS
        count += sum(map(_count_items, node.attributes.graphs.values()))
    return count


class _Sizes:
    """Infers the tensors of graphs, and adds up the work."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._items = 0
        self._work = 0
        self._repeats = 1

    def run(self, graph: Graph, outer: dict[bytes, Tensor], inputs: Inputs) -> Inputs:
        """Return the outputs of a graph; raise `InvalidArtifact` if anything is too large."""
        tensors = outer | dict(zip(graph.inputs, inputs, strict=True))
        for name, constant in graph.constants.items():
            tensors[name] = Tensor(constant.shape, values=constant.values)
        for node in graph.nodes:
            given = [tensors[name] if name else _SCALAR for name in node.inputs]
            outputs = self._infer(node, tensors, given)
            for name, output in zip(node.outputs, outputs, strict=False):
                tensors[name] = output
            self._add_work(node, given, outputs)
        return [tensors[name] for name in graph.outputs]

    def _infer(self, node: Node, tensors: dict[bytes, Tensor], inputs: Inputs) -> Inputs:
        if node.operator == b"If":
            branches = node.attributes.graphs.values()
            return [
                either(*pair)
                for pair in zip(*(self.run(each, tensors, []) for each in branches), strict=True)
            ]
        if node.operator == b"Scan":
            return self._scan(node, tensors, inputs)
        outputs = INFER.get(node.operator, same_shape)(node.attributes, inputs)
        is_exact = all(each.is_exact for each in inputs)
        return [Tensor(shape, is_exact and exact, values) for shape, exact, values in outputs]

    def _scan(self, node: Node, tensors: dict[bytes, Tensor], inputs: Inputs) -> Inputs:
        body = node.attributes.graphs[b"body"]
        states = inputs[: len(inputs) - node.attributes.integers[b"num_scan_inputs"]]
        scanned = inputs[len(states) :]
        length = max(each.shape[0] for each in scanned)
        items = [Tensor(each.shape[1:], each.is_exact) for each in scanned]
        self._repeats *= max(length, 1)
        # ONNX Runtime keeps the shapes of states from one iteration to the next.
        outputs = self.run(body, tensors, [state._replace(values=None) for state in states] + items)
        self._repeats //= max(length, 1)
        rows = [Tensor((length, *each.shape), each.is_exact) for each in outputs[len(states) :]]
        return outputs[: len(states)] + rows

    def _add_work(self, node: Node, inputs: Inputs, outputs: Inputs) -> None:
        size = max((prod(each.shape) for each in outputs), default=0)
        self._items += sum(prod(each.shape) for each in outputs)
        if self._items > self._allowed * MAX_ITEMS:
            reject("its tensors are too large")
        work = max(size, *(prod(each.shape) for each in inputs), 1)
        if node.operator in _READS_IN_PART:
            work = size
        elif node.operator == b"MatMul":
            work = size * inputs[0].shape[-1]
        elif node.operator == b"TreeEnsemble":
            work = inputs[0].shape[0] * node.attributes.items
        self._work += work * self._repeats
        if self._work > self._allowed * MAX_WORK:
            reject("it takes too long")
