"""The wine example: training is reproducible, and the model beats the baselines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chalicelib.models.artifact import read_manifest
from tests.support.models import WineModel
from tests.support.paths import ROOT
from training.wine.dataset import split, wine
from training.wine.estimators import majority_class, tutorial_model, wine_pipeline
from training.wine.evaluation import cross_validated_accuracy, holdout_metrics


def test_the_split_is_seeded_and_stratified() -> None:
    """The same seed gives the same split; both parts have the same proportions of classes."""
    first, same_seed, other_seed = (split(wine(), seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.test.X, same_seed.test.X)
    assert not np.array_equal(first.test.X, other_seed.test.X)
    assert len(first.train.y) + len(first.test.y) == 178
    train, test = (np.bincount(part.y) / len(part.y) for part in first)
    np.testing.assert_allclose(train, test, atol=0.02)


def test_the_model_beats_both_baselines() -> None:
    """Its cross-validated accuracy is at least 0.97, and the intervals do not overlap."""
    majority, tutorial, model = (
        cross_validated_accuracy(estimator, wine(), seed=0)
        for estimator in (majority_class(), tutorial_model(), wine_pipeline())
    )
    assert majority.estimate == pytest.approx(71 / 178, abs=0.01)
    assert tutorial.estimate == pytest.approx(0.66, abs=0.02)
    assert model.estimate >= 0.97
    assert majority.high < tutorial.low < tutorial.high < model.low
    assert model.low <= model.estimate <= model.high


def test_holdout_metrics_agree_with_the_confusion_matrix(trained: WineModel) -> None:
    """Precision, recall and accuracy follow from the counts."""
    test = split(trained.dataset, seed=0).test
    estimator = tutorial_model().fit(test.X, test.y)  # makes mistakes
    metrics = holdout_metrics(estimator, test)
    counts = np.array(metrics["confusion_matrix"])
    assert counts.sum() == metrics["samples"] == len(test.y)
    assert metrics["accuracy"] == pytest.approx(np.trace(counts) / counts.sum())
    for index, label in enumerate(metrics["classes"]):
        class_metrics = metrics["per_class"][label]
        assert class_metrics["samples"] == counts[index].sum()
        assert class_metrics["recall"] == pytest.approx(counts[index, index] / counts[index].sum())
        assert class_metrics["precision"] == pytest.approx(
            counts[index, index] / counts[:, index].sum()
        )


def train(output: Path, seed: int = 0) -> str:
    """Run the command in a new process and return what it prints."""
    command = [sys.executable, "-m", "training", "train", "--output", str(output)]
    return subprocess.run(
        [*command, "--seed", str(seed)], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout


def test_the_same_seed_gives_the_same_version(tmp_path: Path) -> None:
    """In separate processes; another seed gives another version."""
    printed = train(tmp_path / "a.onnx")
    train(tmp_path / "b.onnx")
    train(tmp_path / "c.onnx", seed=1)
    manifests = [read_manifest((tmp_path / f"{name}.onnx").read_bytes()) for name in "abc"]
    for manifest in manifests:
        del manifest["created_at"]
    first, same_seed, other_seed = manifests
    assert first == same_seed
    assert first["version"] != other_seed["version"]
    assert first["metrics"]["accuracy"]["estimate"] >= 0.97
    assert first["metrics"]["holdout"]["confusion_matrix"]
    assert f"version {first['version']}" in printed
