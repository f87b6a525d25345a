"""The wine example: training is reproducible, and the model beats the baselines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chalicelib.models.artifact import read_manifest
from tests.support.paths import ROOT
from training import commands
from training.__main__ import main
from training.evaluation.cross_validation import cross_validate, cross_validated_accuracy
from training.wine.dataset import split, wine
from training.wine.estimators import majority_class, tutorial_model, wine_pipeline


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
    X, y, _ = wine()
    majority, tutorial, model = (
        cross_validated_accuracy(
            cross_validate(estimator, X, y, classes=[0, 1, 2], folds=10, repeats=2), folds=10
        )
        for estimator in (majority_class(), tutorial_model(), wine_pipeline())
    )
    assert majority.estimate == pytest.approx(71 / 178, abs=0.01)
    assert tutorial.estimate == pytest.approx(0.66, abs=0.02)
    assert model.estimate >= 0.97
    assert majority.high < tutorial.low < tutorial.high < model.low
    assert model.low <= model.estimate <= model.high


def test_the_same_seed_gives_the_same_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In another process too; another seed gives another version."""
    monkeypatch.setattr(commands, "FOLDS", 3)
    monkeypatch.setattr(commands, "REPEATS", 1)
    code = "from training import commands; commands.FOLDS, commands.REPEATS = 3, 1; "
    code += "import sys; from training.__main__ import main; sys.exit(main())"
    elsewhere = [sys.executable, "-c", code, "train", "--output", str(tmp_path / "b.onnx")]
    subprocess.run(elsewhere, check=True, capture_output=True, cwd=ROOT)
    assert main(["train", "--output", str(tmp_path / "a.onnx")]) == 0
    printed = capsys.readouterr().out
    assert main(["train", "--output", str(tmp_path / "c.onnx"), "--seed", "1"]) == 0
    manifests = [read_manifest((tmp_path / f"{name}.onnx").read_bytes()) for name in "abc"]
    for manifest in manifests:
        del manifest["created_at"], manifest["row_seconds"]
    first, same_seed, other_seed = manifests
    assert first == same_seed
    assert first["version"] != other_seed["version"]
    assert first["metrics"]["accuracy"]["estimate"] >= 0.97
    assert first["metrics"]["by_class"]["confusion_matrix"]
    assert f"version {first['version']}" in printed
    pictures = sorted(tmp_path.glob("a-card-*.png"))
    assert len(pictures) == 8
    assert all(f"Wrote {picture}" in printed for picture in pictures)
