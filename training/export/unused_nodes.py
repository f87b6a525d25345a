"""Nodes and constants of a graph that no output depends on."""

from __future__ import annotations

from onnx import GraphProto, NodeProto


def drop_unused(graph: GraphProto) -> None:
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
