"""Cleanup of a graph that skl2onnx has converted."""

from __future__ import annotations

from onnx import GraphProto, ModelProto, NodeProto

from training.export.converters.tensor import ML_DOMAIN, ML_OPSET

# The newest operator is TreeEnsemble, which needs this version of ai.onnx.ml.
OPSETS = {"": 21, ML_DOMAIN: ML_OPSET}


def prune_graph(model: ModelProto) -> None:
    """Drop unused nodes and constants, in place, and name the nodes reproducibly."""
    _set_ml_opset(model)
    _drop_unused(model.graph)
    for number, node in enumerate(model.graph.node):  # skl2onnx puts memory addresses into names
        node.name = f"{node.op_type}_{number}"


def _set_ml_opset(model: ModelProto) -> None:
    if any(node.op_type == "TreeEnsemble" for node in model.graph.node):
        for opset in model.opset_import:
            if opset.domain == ML_DOMAIN:
                opset.version = ML_OPSET


def _drop_unused(graph: GraphProto) -> None:
    """Keep the nodes and constants that the outputs depend on."""
    needed = {output.name for output in graph.output}
    for index in reversed(range(len(graph.node))):  # they are in topological order
        node = graph.node[index]
        if needed.intersection(node.output):
            needed.update(_inputs(node))
        else:
            del graph.node[index]
    for index in reversed(range(len(graph.initializer))):
        if graph.initializer[index].name not in needed:
            del graph.initializer[index]


def _inputs(node: NodeProto) -> set[str]:
    """Return the names of a node's inputs, including those of its subgraphs."""
    nested = (_inputs(inner) for attribute in node.attribute for inner in attribute.g.node)
    return set(node.input).union(*nested)
