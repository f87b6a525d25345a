"""Probabilities of several classes from those of each pair of them, as libsvm computes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto, helper

from training.export.converters.multiclass import class_pairs
from training.export.converters.tensor import Tensor

_TOLERANCE = 0.005  # divided by the number of classes
_MIN_STEPS = 100  # as many as classes, if there are more


def couple(pairwise: Tensor, classes: int) -> Tensor:
    """Return the probabilities of the classes, shape (samples, classes), from those of the pairs.

    It is method 2 of Wu, Lin and Weng, "Probability estimates for multi-class classification by
    pairwise coupling", 2004, with libsvm's tolerance, which is large. Source:
    ``multiclass_probability`` in sklearn/svm/src/libsvm/svm.cpp.
    """
    graph, Q = pairwise.graph, _coupling_matrix(pairwise, classes)
    before, active, step = (
        Tensor(graph, graph.unique_name(name)) for name in ("before", "active", "step")
    )
    inputs = [
        helper.make_tensor_value_info(before.name, TensorProto.DOUBLE, [None, classes]),
        helper.make_tensor_value_info(active.name, TensorProto.BOOL, [1]),
        helper.make_tensor_value_info(step.name, TensorProto.INT64, []),
    ]

    def iterate() -> Sequence[Tensor]:
        """Iterate once more if the probabilities of any sample are not close enough."""
        return graph.choose(
            active,
            lambda: _improve(Q, before, classes),
            lambda: [before.op("Identity"), active.op("Identity")],
        )

    body = graph.subgraph(iterate, inputs)
    uniform = graph.repeat(np.full(classes, 1.0 / classes))
    names = [graph.unique_name(name) for name in ("probabilities", "active")]
    state = [
        uniform,
        graph.tensor(np.array([True])),
        graph.tensor(np.arange(max(_MIN_STEPS, classes))),
    ]
    graph.nodes.append(
        helper.make_node(
            "Scan", [tensor.name for tensor in state], names, body=body, num_scan_inputs=1
        )
    )
    return Tensor(graph, names[0])


def _coupling_matrix(pairwise: Tensor, classes: int) -> Tensor:
    """Return the matrix of the quadratic form that is minimized: (samples, classes, classes)."""
    first, second = class_pairs(classes).T
    pair, weights = np.arange(len(first)), np.zeros((len(first), classes, classes))
    weights[pair, first, second], weights[pair, second, first] = 1.0, -1.0
    offset = np.zeros((classes, classes))
    offset[second, first] = 1.0  # the second class of a pair has the rest of the probability
    flat: Tensor = pairwise @ weights.reshape(len(pair), -1) + offset.ravel()
    table = flat.reshape(-1, classes, classes)
    transposed = table.op("Transpose", perm=[0, 2, 1])
    diagonal = (transposed * transposed).sum(axis=2) * np.eye(classes)
    return diagonal - transposed * table


def _improve(Q: Tensor, before: Tensor, classes: int) -> list[Tensor]:
    """Optimize the probability of each class in turn; return all and whether any changed."""
    p = before
    Qp = (Q * p.op("Unsqueeze", np.array([1]))).sum(axis=2).reshape(-1, classes)
    pQp = (p * Qp).sum()
    error = (Qp - pQp).abs().op("ReduceMax", np.array([1]), keepdims=1)
    is_open = error >= _TOLERANCE / classes
    for t in range(classes):
        row = Q.take(np.array(t), axis=1)
        is_t = (np.arange(classes) == t).astype(np.float64).reshape(1, -1)
        curvature, slope = row.column(t), Qp.column(t)
        step = (pQp - slope) / curvature
        scale = step + 1.0
        pQp = (pQp + step * (step * curvature + slope * 2.0)) / scale / scale
        Qp, p = (Qp + step * row) / scale, (p + step * is_t) / scale
    any_open = is_open.cast(np.float64).op("ReduceMax", np.array([0, 1]), keepdims=0) > 0.0
    return [is_open.where(p, before), any_open.reshape(1)]
