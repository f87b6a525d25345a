"""The error function as an ONNX graph."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper
from onnxruntime import InferenceSession
from scipy.special import erf as scipy_erf
from skl2onnx.common._container import ModelComponentContainer
from skl2onnx.common._topology import Scope

from training.export.converters.error_function import erf
from training.export.converters.tensor import Graph, Tensor


def test_the_error_function_equals_scipys() -> None:
    """To the last bits, because Gaussian processes multiply the error by thousands."""
    container = ModelComponentContainer({"": 21}, registered_models={})
    output = erf(Tensor(Graph(Scope("erf"), container), "x"))
    source, target = (
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None])
        for name in ("x", output.name)
    )
    graph = helper.make_graph(container.nodes, "erf", [source], [target], container.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    x = np.concatenate([np.linspace(-8, 8, 10_001), [1e-300, -1e-17, 0.46875]])
    (actual,) = InferenceSession(model.SerializeToString()).run(None, {"x": x})
    np.testing.assert_allclose(actual, scipy_erf(x), rtol=2e-15, atol=0)
