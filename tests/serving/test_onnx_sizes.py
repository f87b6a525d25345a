"""The shapes that the audit of a graph infers are those that ONNX Runtime computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.svm import SVC

from chalicelib.runtimes import onnx_sizes
from chalicelib.runtimes.onnx_audit import audit
from tests.support.models import WineModel
from training.artifact import BuiltModel, build_artifact

ESTIMATORS = [
    AdaBoostClassifier(n_estimators=5, random_state=0),
    KNeighborsClassifier(3, weights="distance"),
    make_pipeline(PolynomialFeatures(), MLPClassifier((5,), max_iter=20, random_state=0)),
    RadiusNeighborsClassifier(5.0),
    RandomForestClassifier(5, random_state=0),
    SVC(probability=True, random_state=0),
]


@pytest.fixture
def inferred(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the next audit infers: the tensors of the outermost graph by name, and the rest."""
    tensors: dict[str, Any] = {}

    class Sizes(onnx_sizes._Sizes):
        def run(self, graph: Any, outer: Any, inputs: Any) -> Any:
            outputs = super().run(graph, outer, inputs)
            if not outer:
                [samples] = inputs
                tensors[""] = samples
            return outputs

        def _infer(self, node: Any, known: Any, inputs: Any) -> Any:
            outputs = super()._infer(node, known, inputs)
            tensors.update(zip((name.decode() for name in node.outputs), outputs, strict=True))
            return outputs

    monkeypatch.setattr(onnx_sizes, "_Sizes", Sizes)
    return tensors


def assert_inferred(artifact: bytes, inferred: dict[str, Any]) -> None:
    """Compare all tensors of the outermost graph, for random samples."""
    audit(artifact)
    model = onnx.load_from_string(artifact)
    names = [name for node in model.graph.node for name in node.output]
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    samples = np.random.default_rng(0).uniform(0, 2, inferred[""].shape)
    computed = session.run(None, {"samples": samples})
    assert len(computed) > 3
    for name, tensor in zip(names, computed, strict=True):
        bound = inferred[name]
        assert len(tensor.shape) == len(bound.shape), name
        assert all(map(int.__le__, tensor.shape, bound.shape)), name
        if bound.is_exact:
            assert tensor.shape == bound.shape, name
            assert bound.values is None or tuple(tensor.ravel()) == bound.values, name


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: type(each).__name__)
@pytest.mark.filterwarnings("ignore")  # of estimators that are fitted briefly
def test_the_shapes_of_a_classifiers_graph(
    estimator: ClassifierMixin, inferred: dict[str, Any]
) -> None:
    """Of every tensor."""
    X, y = load_iris(return_X_y=True)
    built = build_artifact(estimator.fit(X, y), X, y, name="iris", metrics={})
    assert_inferred(built.artifact, inferred)


def test_the_shapes_of_a_pipelines_graph(
    trained: WineModel, mixed: BuiltModel, inferred: dict[str, Any]
) -> None:
    """Of numbers, and of numbers and text."""
    assert_inferred(trained.built.artifact, inferred)
    assert_inferred(mixed.artifact, inferred)
