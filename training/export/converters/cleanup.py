"""What is done to a graph once skl2onnx has written it."""

from __future__ import annotations

from onnx import GraphProto, ModelProto, NodeProto

from training.export.converters.tensor import MACHINE_LEARNING, MACHINE_LEARNING_VERSION

# TreeEnsemble, which `tidy` sets the later version of ai.onnx.ml for, is the newest operator.
OPSETS = {"": 21, MACHINE_LEARNING: MACHINE_LEARNING_VERSION}


def tidy(model: ModelProto) -> None:
    """Leave in a graph what its outputs need, under names that are the same each time.

    Parameters
    ----------
    model : onnx.ModelProto
        As skl2onnx wrote it; changed in place.
    """
    _set_machine_learning_version(model)
    _drop_unused(model.graph)
    for number, node in enumerate(model.graph.node):  # skl2onnx puts memory addresses into names
        node.name = f"{node.op_type}_{number}"


def _set_machine_learning_version(model: ModelProto) -> None:
    if any(node.op_type == "TreeEnsemble" for node in model.graph.node):
        for opset in model.opset_import:
            if opset.domain == MACHINE_LEARNING:
                opset.version = MACHINE_LEARNING_VERSION


def _drop_unused(graph: GraphProto) -> None:
    """Keep the nodes and constants that the outputs come from."""
    needed = {output.name for output in graph.output}
    nodes = []
    for node in reversed(graph.node):  # they are in topological order
        if needed.intersection(node.output):
            nodes.append(node)
            needed.update(_inputs(node))
    _replace(graph, "node", nodes[::-1])
    _replace(graph, "initializer", [each for each in graph.initializer if each.name in needed])


def _inputs(node: NodeProto) -> set[str]:
    """Give what a node reads, also in a subgraph."""
    inner = (_inputs(each) for attribute in node.attribute for each in attribute.g.node)
    return set(node.input).union(*inner)


def _replace(graph: GraphProto, field: str, values: list) -> None:  # type: ignore[type-arg]
    copies = [type(each).FromString(each.SerializeToString()) for each in values]
    graph.ClearField(field)
    getattr(graph, field).extend(copies)
