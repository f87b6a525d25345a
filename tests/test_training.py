"""Training is repeatable and good; exporting is exact or refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from chalicelib.artifact import read_manifest
from chalicelib.model import Prediction
from tests.conftest import ROOT, Trained
from training import export
from training.dataset import split, wine
from training.errors import ExportRefused, NotServable
from training.evaluation import cross_validated_accuracy, held_out_figures
from training.export import Agreement, comparison_rows, find_optional_features
from training.pipeline import majority_class, tutorial_model, wine_pipeline
from training.publish import publish


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


def test_held_out_figures_are_those_of_the_confusion_matrix(trained: Trained) -> None:
    """Precision, recall and accuracy follow from the counts."""
    test = split(trained.dataset, seed=0).test
    flawed = tutorial_model().fit(test.X, test.y)
    figures = held_out_figures(flawed, test)
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
    assert first["metrics"]["held_out"]["confusion_matrix"]
    assert f"version {first['version']}" in printed


def test_finds_out_which_features_are_optional(trained: Trained) -> None:
    """By leaving each out, not by what the estimator says of itself."""
    X, y = trained.dataset.X, trained.dataset.y
    assert all(find_optional_features(trained.estimator, X))
    assert not any(find_optional_features(LogisticRegression(max_iter=10_000).fit(X, y), X))


def test_gaps_are_compared_only_where_they_are_allowed() -> None:
    """A required feature is never left out."""
    rows = comparison_rows(np.random.default_rng(0).normal(size=(10, 3)), [False, True, True])
    missing = np.isnan(rows)
    assert not missing[:, 0].any()
    assert missing[:, 1:].any(axis=0).all()
    assert missing[:, 1:].all(axis=1).any()


def test_a_model_that_differs_from_scikit_learn_is_refused(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One label in ten thousand is enough."""
    monkeypatch.setattr(export, "compare", lambda *_: Agreement(10_000, 1, 0.0))
    with pytest.raises(ExportRefused, match="1 of 10000 labels"):
        export.export_onnx(trained.estimator, trained.dataset.X, [True] * 13)


class Wrong:
    """A classifier that is wrong about one sample."""

    def __init__(self, trained: Trained) -> None:
        self._estimator = trained.estimator

    def predict(self, matrix: np.ndarray) -> Prediction:
        """Answer as the estimator does, but for the first sample."""
        labels = [str(label) for label in self._estimator.predict(matrix)]
        probabilities = self._estimator.predict_proba(matrix)
        return Prediction(["9", *labels[1:]], probabilities + 0.25)


def test_the_comparison_counts_labels_and_measures_probabilities(trained: Trained) -> None:
    """What it finds is what differs."""
    agreement = export.compare(trained.estimator, Wrong(trained), trained.dataset.X)
    assert agreement[:2] == (178, 1)
    assert agreement.largest_difference == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("estimator", "says"),
    [
        (LinearRegression(), "LinearRegression is not a classifier"),
        (LogisticRegression(), "has not been fitted"),
    ],
)
def test_what_is_no_fitted_classifier_is_refused(
    tmp_path: Path, estimator: LogisticRegression, says: str
) -> None:
    """In one line, before anything is written."""
    X, y, _ = wine()
    with pytest.raises(NotServable, match=says):
        publish(estimator, X, y, to=str(tmp_path / "store"))
    assert not (tmp_path / "store").exists()


def test_what_cannot_be_converted_is_refused(tmp_path: Path) -> None:
    """Naming what stands in the way; nothing is written."""
    X, y, _ = wine()
    steps = (StandardScaler(), FunctionTransformer(np.cbrt), LogisticRegression())
    with pytest.raises(ExportRefused, match="FunctionTransformer"):
        publish(make_pipeline(*steps).fit(X, y), X, y, to=str(tmp_path / "store"))
    assert not (tmp_path / "store").exists()


def test_samples_that_do_not_fit_the_classes_are_refused(trained: Trained, tmp_path: Path) -> None:
    """As many of one as of the other."""
    X, y, _ = trained.dataset
    for samples, classes in ((X[0], y[0:1]), (X, y[:-1]), (X[:0], y[:0])):
        with pytest.raises(NotServable, match="X must be samples by features"):
            publish(trained.estimator, samples, classes, to=str(tmp_path))
