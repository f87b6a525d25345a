"""What publishing large models and tables does in parts, and what it does not do again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from chalicelib.models.artifact import read_manifest
from chalicelib.models.memory import MEASURED_BYTES
from chalicelib.runtimes.onnx_session import Session
from training.artifact import build_artifact
from training.publish import publish


@pytest.mark.parametrize(("most", "operators"), [(30, 10), (10, 12)])
def test_a_large_forest_is_split_between_operators(
    monkeypatch: pytest.MonkeyPatch, most: int, operators: int
) -> None:
    """A tree that is larger than an operator's limit has one to itself."""
    monkeypatch.setattr("training.export.converters.tree._MAX_NODES", most)
    X, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(12, random_state=0).fit(X, y)
    assert [tree.tree_.node_count for tree in forest.estimators_][:4] == [13, 15, 19, 23]
    built = build_artifact(forest, X, y, name="forest")
    nodes = onnx.load_from_string(built.artifact).graph.node
    assert sum(node.op_type == "TreeEnsemble" for node in nodes) == operators
    assert built.attempts[-1].strategy == "onnx float64"
    assert built.comparison.is_exact()


def test_a_large_model_is_loaded_once_beside_the_process_that_measures_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not again before it is written."""
    loads: list[int] = []

    class CountedSession(Session):
        def __init__(self, model: bytes) -> None:
            loads.append(len(model))
            super().__init__(model)

    monkeypatch.setattr("chalicelib.runtimes.onnx_classifier.Session", CountedSession)
    X, y = make_classification(2_000, 20, flip_y=0.5, random_state=0)
    forest = RandomForestClassifier(80, random_state=0).fit(X, y)
    published = publish(forest, X, y, to=str(tmp_path), cv=0)
    assert Path(published.url.removeprefix("file://")).stat().st_size > MEASURED_BYTES
    assert len(loads) == 1


def test_the_labels_of_the_table_are_predicted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the metrics and for the comparison."""
    X, y = load_iris(return_X_y=True)
    X += np.random.default_rng(0).normal(0, 0.01, X.shape)
    estimator = LogisticRegression(max_iter=1_000).fit(X, y)
    predicted: list[Any] = []
    predict = LogisticRegression.predict

    def recorded(self: Any, X: Any) -> Any:
        predicted.extend(X)
        return predict(self, X)

    monkeypatch.setattr(LogisticRegression, "predict", recorded)
    built = build_artifact(estimator, X, y, name="iris")
    assert built.comparison.table_rows == len(X)
    assert (np.array(predicted) == X[75]).all(axis=1).sum() == 1


def test_a_forest_runs_large_parts_of_a_batch() -> None:
    """The table of its leaves is not computed for each sample."""
    X, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(100, random_state=0).fit(X, y)
    built = build_artifact(forest, X, y, name="forest")
    assert "row_values" not in read_manifest(built.artifact)
