"""What publishing large models and tables does in parts, and what it does not do again."""

from __future__ import annotations

import onnx
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from training.artifact import build_artifact


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
