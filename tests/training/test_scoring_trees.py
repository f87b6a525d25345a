"""Scoring a large table with the trees of a model compiled."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from chalicelib.models.model import load_model
from training.artifact import build_artifact
from training.scoring import compiling, leaf_masks
from training.scoring.predictor import Predictor
from training.scoring.tree_session import TreeSession, UnknownForm
from training.scoring.trees import Trees

LARGE = 1 << 40


def build(estimator: Any) -> tuple[bytes, Any]:
    """Return the artifact of a model, and samples."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(3000, 3)), random.integers(0, 3, 3000)
    return build_artifact(estimator.fit(X[:300], y[:300]), X[:300], y[:300], name="m").artifact, X


@pytest.fixture(scope="module", params=[16, None], ids=["small trees", "large trees"])
def forest(request: pytest.FixtureRequest) -> tuple[bytes, Any]:
    """A forest of trees that are scored with masks of leaves, and one of larger trees."""
    return build(RandomForestClassifier(10, max_leaf_nodes=request.param, random_state=0))


def test_labels_and_probabilities_are_those_of_onnx_runtime(forest: tuple[bytes, Any]) -> None:
    """In the first run, which is compared, and in the longer ones after it."""
    artifact, X = forest
    model = load_model(artifact)
    compiled, plain = Predictor(model, artifact, LARGE), Predictor(model, artifact)
    assert plain.trees is None
    assert compiled.trees is not None
    assert isinstance(compiled.trees.result(), TreeSession)
    for _ in range(2):
        actual, expected = compiled.predict(X, []), plain.predict(X, [])
        assert actual.indices.tobytes() == expected.indices.tobytes()
        assert actual.probabilities is not None
        assert expected.probabilities is not None
        assert actual.probabilities.tobytes() == expected.probabilities.tobytes()
    assert compiled.trees is not None


def test_onnx_runtime_goes_on_if_the_trees_differ(
    forest: tuple[bytes, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The labels of the first rows are its too, and a warning says so."""
    artifact, X = forest
    model = load_model(artifact)
    predictor = Predictor(model, artifact, LARGE)
    assert predictor.trees is not None
    session = predictor.trees.result()
    assert session is not None
    (session.masks or session.trees).thresholds[:] += 0.5
    with caplog.at_level(logging.WARNING):
        actual = predictor.predict(X, [])
    assert predictor.trees is None
    assert "differ from ONNX Runtime" in caplog.text
    assert (actual.indices == Predictor(model, artifact).predict(X, []).indices).all()


def test_a_small_table_is_scored_without_numba(forest: tuple[bytes, Any]) -> None:
    """And so is one by a model that has no trees."""
    assert compiling.compile_trees(forest[0], 1000) is None
    assert compiling.compile_trees(build(LogisticRegression())[0], LARGE) is None


def test_other_graphs_are_not_compiled() -> None:
    """Such as one whose matrix has a width that ONNX Runtime does not tell."""
    artifact, _ = build(make_pipeline(PolynomialFeatures(), RandomForestClassifier(3)))
    with pytest.raises(UnknownForm):
        TreeSession(artifact)
    compiling_trees = compiling.compile_trees(artifact, LARGE)
    assert compiling_trees is not None
    assert compiling_trees.result() is None


def stumps(thresholds: Any) -> Trees:
    """Return a tree of two leaves for each threshold; missing values go right."""
    count = len(thresholds)
    roots = 3 * np.arange(count, dtype=np.uint32)
    return Trees(
        roots,
        np.ones(count, np.int64),
        np.tile(np.array([1, 0, 0], np.uint32), count),
        np.stack([thresholds, *np.full((2, count), np.inf)], axis=1).ravel(),
        np.stack([roots + 1, roots + 1, roots + 2], axis=1).ravel(),
        np.tile(np.array([0, 0, 1], np.uint32), count),
    )


def test_masks_have_ranks_for_as_many_thresholds_as_16_bits_count() -> None:
    """With one more, or one that compares with nothing, the rows walk down the trees."""
    count, table = 65_535, np.array([[0.0], [1.0]])
    masks = leaf_masks.mask_leaves(stumps(np.arange(count) + 0.5), table, 1)
    assert masks is not None
    sums = np.zeros((1, 5))
    leaf_masks.add_leaves(np.array([[0.0], [1.0], [1.5], [1e9], [np.nan]]), masks, sums)
    assert sums.tolist() == [[0, 1, 1, count, count]]
    assert leaf_masks.mask_leaves(stumps(np.arange(count + 1.0)), table, 1) is None
    assert leaf_masks.mask_leaves(stumps(np.array([0.5, np.nan])), table, 1) is None
