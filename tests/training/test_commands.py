"""Training is repeatable, and its model is good."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chalicelib.models.artifact import read_manifest
from tests.support.models import Trained
from tests.support.paths import ROOT
from training.wine.dataset import split, wine
from training.wine.estimators import majority_class, tutorial_model, wine_pipeline
from training.wine.evaluation import cross_validated_accuracy, holdout_metrics


def test_the_split_is_seeded_and_stratified() -> None:
    """The same seed gives the same parts, and each has the classes in the same proportion."""
    parts, again, other = (split(wine(), seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(parts.test.X, again.test.X)
    assert not np.array_equal(parts.test.X, other.test.X)
    assert len(parts.train.y) + len(parts.test.y) == 178
    share = [np.bincount(part.y) / len(part.y) for part in parts]
    np.testing.assert_allclose(share[0], share[1], atol=0.02)


def test_the_model_beats_the_tutorials_and_the_majority() -> None:
    """By cross-validation: at least 0.97, and the intervals do not touch."""
    majority, tutorial, ours = (
        cross_validated_accuracy(estimator, wine(), seed=0)
        for estimator in (majority_class(), tutorial_model(), wine_pipeline())
    )
    assert majority.estimate == pytest.approx(71 / 178, abs=0.01)
    assert tutorial.estimate == pytest.approx(0.66, abs=0.02)
    assert ours.estimate >= 0.97
    assert majority.high < tutorial.low < tutorial.high < ours.low <= ours.estimate <= ours.high


def test_holdout_metrics_are_those_of_the_confusion_matrix(trained: Trained) -> None:
    """Precision, recall and accuracy follow from the counts."""
    test = split(trained.dataset, seed=0).test
    flawed = tutorial_model().fit(test.X, test.y)
    figures = holdout_metrics(flawed, test)
    counts = np.array(figures["confusion_matrix"])
    assert counts.sum() == figures["samples"] == len(test.y)
    assert figures["accuracy"] == pytest.approx(np.trace(counts) / counts.sum())
    for index, label in enumerate(figures["classes"]):
        of_class = figures["per_class"][label]
        assert of_class["samples"] == counts[index].sum()
        assert of_class["recall"] == pytest.approx(counts[index, index] / counts[index].sum())
        assert of_class["precision"] == pytest.approx(counts[index, index] / counts[:, index].sum())


def train(output: Path, seed: int = 0) -> str:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "training", "train", "--output", str(output)]
    return subprocess.run(
        [*command, "--seed", str(seed)], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout


def test_the_same_seed_gives_the_same_version(tmp_path: Path) -> None:
    """In processes of their own; another seed gives another version."""
    printed = train(tmp_path / "a.onnx")
    train(tmp_path / "b.onnx")
    train(tmp_path / "c.onnx", seed=1)
    manifests = [read_manifest((tmp_path / f"{name}.onnx").read_bytes()) for name in "abc"]
    for manifest in manifests:
        del manifest["created_at"]
    first, again, other = manifests
    assert first == again
    assert first["version"] != other["version"]
    assert first["metrics"]["accuracy"]["estimate"] >= 0.97
    assert first["metrics"]["holdout"]["confusion_matrix"]
    assert f"version {first['version']}" in printed
