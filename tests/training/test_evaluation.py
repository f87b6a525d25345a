"""Metrics: measured on samples that the estimator has not seen, where that is possible."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, precision_score, recall_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from training.__main__ import main
from training.artifact import build_artifact
from training.errors import NotServable
from training.evaluation.estimates import Predictions, describe_by_class, wilson
from training.evaluation.metrics import ON_FITTED_DATA, ON_TEST_DATA
from training.publish import publish

RANDOM = np.random.default_rng(0)
NOISE = RANDOM.normal(size=(120, 3))
COIN = RANDOM.integers(0, 2, 120)  # unrelated to NOISE


def metrics_of(estimator: Any, X: Any, y: Any, **options: Any) -> Any:
    """Return the metrics in the manifest of a model."""
    return build_artifact(estimator, X, y, name="model", **options).metrics


def test_publish_measures_on_samples_that_were_not_fitted_on(tmp_path: Path) -> None:
    """A tree that knows its samples by heart is no better than a coin on others."""
    estimator = DecisionTreeClassifier(random_state=0).fit(NOISE, COIN)
    assert estimator.score(NOISE, COIN) == 1.0
    metrics = publish(estimator, NOISE, COIN, to=str(tmp_path)).metrics
    accuracy = metrics["accuracy"]
    assert accuracy["method"] == "by 5-fold stratified cross-validation"
    assert accuracy["samples"] == 120
    assert accuracy["low"] < 0.5 < accuracy["high"] < 0.75


def test_folds_are_those_of_scikit_learn() -> None:
    """Shuffled, with a fixed seed."""
    X, y = load_iris(return_X_y=True)
    estimator = DecisionTreeClassifier(random_state=0).fit(X, y)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    metrics = metrics_of(estimator, X, y, cv=5)
    assert metrics["accuracy"]["estimate"] == pytest.approx(
        cross_val_score(estimator, X, y, cv=folds).mean()
    )
    assert np.sum(metrics["by_class"]["confusion_matrix"]) == 150


def test_test_data_is_preferred() -> None:
    """Labels that the model does not know count as wrong."""
    X, y = load_iris(return_X_y=True)
    train, test = np.arange(0, 150, 2), np.arange(1, 150, 2)
    estimator = DecisionTreeClassifier(random_state=0, max_depth=2).fit(X[train], y[train])
    labels = y[test].copy()
    labels[0] = 7
    metrics = metrics_of(estimator, X[train], y[train], cv=5, test=(X[test], labels))
    predicted = estimator.predict(X[test])
    assert metrics["accuracy"]["method"] == metrics["by_class"]["method"] == ON_TEST_DATA
    assert metrics["accuracy"]["estimate"] == np.mean(predicted == labels)
    np.testing.assert_array_equal(
        metrics["by_class"]["confusion_matrix"],
        confusion_matrix(labels, predicted, labels=[0, 1, 2]),
    )
    for label, described in enumerate(metrics["by_class"]["per_class"].values()):
        options = {"labels": [label], "average": "macro"}
        precision = precision_score(labels, predicted, **options)
        recall = recall_score(labels, predicted, **options)
        assert described["precision"]["estimate"] == pytest.approx(precision)
        assert described["recall"]["estimate"] == pytest.approx(recall)
        assert described["recall"]["low"] < recall <= described["recall"]["high"]


def test_test_data_may_be_a_frame_with_columns_in_another_order() -> None:
    """They are found by name, as in the data that was fitted on."""
    frame = pd.DataFrame(NOISE, columns=["a", "b", "c"])
    labels = (frame["a"] > 0).to_numpy()
    estimator = LogisticRegression().fit(frame, labels)
    test = frame[["c", "b", "a"]].assign(other="unused"), labels
    assert metrics_of(estimator, frame, labels, test=test)["accuracy"]["estimate"] > 0.9


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (NOISE, COIN[:-1], "120 samples and 119 labels"),
        (NOISE[:, :2], COIN, "was fitted on 3"),
        ([["x", "y", "z"]], [0], "cannot predict the test data"),
    ],
)
def test_unsuitable_test_data_is_rejected(X: Any, y: Any, message: str) -> None:
    """With one reason."""
    estimator = LogisticRegression().fit(NOISE, COIN)
    with pytest.raises(NotServable, match=message):
        metrics_of(estimator, NOISE, COIN, test=(X, y))


@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (CalibratedClassifierCV(FrozenEstimator(LogisticRegression().fit(NOISE, COIN))), COIN),
        (LogisticRegression(), [1] + [0] * 119),  # without the one sample, one class is left
    ],
    ids=["frozen", "one sample"],
)
def test_metrics_name_the_data_that_was_fitted_on(
    estimator: Any, y: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Where clones cannot be fitted on parts of the data."""
    metrics = metrics_of(estimator.fit(NOISE, y), NOISE, y, cv=5)
    assert metrics["accuracy"]["method"] == metrics["by_class"]["method"] == ON_FITTED_DATA
    assert any(ON_FITTED_DATA in message for message in caplog.messages)


def test_a_search_is_not_repeated() -> None:
    """The best estimator that it found is cross-validated, and the method says so."""
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}).fit(NOISE, COIN)
    metrics = metrics_of(search, NOISE, COIN, cv=3)
    assert metrics["accuracy"]["method"] == (
        "by 3-fold stratified cross-validation of the best estimator that the search found"
    )


def test_texts_are_cross_validated() -> None:
    """An estimator may take a sequence of texts."""
    texts = ["dry wine", "sweet wine", "dry beer", "sweet beer"] * 10
    labels = ["dry", "sweet"] * 20
    estimator = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels)
    assert metrics_of(estimator, texts, labels, cv=5)["accuracy"]["estimate"] == 1.0


def test_no_fold_begins_after_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is always done; the method says how many are."""
    monkeypatch.setattr("training.evaluation.metrics.TIME_LIMIT_SECONDS", 0.0)
    metrics = metrics_of(LogisticRegression().fit(NOISE, COIN), NOISE, COIN, cv=4)
    assert metrics["accuracy"]["method"] == (
        "by 1 of the folds of 4-fold stratified cross-validation"
    )
    assert metrics["accuracy"]["samples"] == metrics["by_class"]["samples"] == 30


def test_the_interval_has_a_width_if_all_folds_agree() -> None:
    """As 150 samples prove no accuracy of 1."""
    X, y = load_iris(return_X_y=True)
    y = y == 0
    accuracy = metrics_of(LogisticRegression().fit(X, y), X, y, cv=5)["accuracy"]
    assert accuracy["estimate"] == accuracy["high"] == 1.0
    assert 0.95 < accuracy["low"] < 0.99


def test_wilson_interval_of_a_known_example() -> None:
    """8 of 10; source: Wilson (1927), by the formula."""
    estimate = wilson(np.array([True] * 8 + [False] * 2))
    assert estimate == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)


def test_a_class_without_predictions_has_no_precision() -> None:
    """And one without samples no recall."""
    described = describe_by_class(
        Predictions.from_labels(["a", "a"], ["b", "a"], ["a", "b", "c"]), ["a", "b", "c"], "here"
    )
    assert described["per_class"]["c"] == {"samples": 0, "precision": None, "recall": None}
    assert described["per_class"]["b"]["recall"] is None


def test_the_baseline_is_the_majority_class() -> None:
    """Measured on the same samples."""
    y = (NOISE[:, 0] > 1).astype(int)
    metrics = metrics_of(LogisticRegression().fit(NOISE, y), NOISE, y)
    assert metrics["baselines"]["majority_class"]["estimate"] == pytest.approx(1 - y.mean())


def test_the_command_measures_on_test_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And prints the figures with their intervals."""
    table = load_iris(as_frame=True).frame
    table[::2].to_csv(tmp_path / "train.csv", index=False)
    table[1::2].to_csv(tmp_path / "test.csv", index=False)
    estimator = LogisticRegression(max_iter=1000)
    estimator.fit(table[::2].drop(columns="target"), table["target"][::2])
    skops.io.dump(estimator, tmp_path / "model.skops")
    options = ["--data", str(tmp_path / "train.csv"), "--target", "target"]
    options += ["--test-data", str(tmp_path / "test.csv"), "--to", str(tmp_path / "store")]
    assert main(["publish", "--model", str(tmp_path / "model.skops"), *options]) == 0
    printed = capsys.readouterr().out
    assert "Accuracy 0.960 (0.889 to 0.986) on test data" in printed
    assert "predicted 2" in printed


def test_what_is_measured_by_cross_validation_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """As it takes time."""
    with caplog.at_level(logging.INFO):
        metrics_of(LogisticRegression().fit(NOISE, COIN), NOISE, COIN, cv=2)
    assert "cross-validating 2 clones" in caplog.messages


def test_the_features_that_matter_most_come_first() -> None:
    """With the accuracy that is lost if their values are shuffled."""
    y = (NOISE[:, 1] > 0).astype(int)
    estimator = LogisticRegression().fit(NOISE, y)
    described = metrics_of(estimator, NOISE, y, cv=2, feature_names=["a", "b", "c"])["importances"]
    first, *others = described["features"]
    assert first["name"] == "b"
    assert 0.3 < first["low"] < first["estimate"] < first["high"] < 0.7
    assert all(abs(other["estimate"]) < 0.1 for other in others)
    assert described["method"] == ON_FITTED_DATA
    assert described["samples"] == 120


def test_importances_are_those_of_scikit_learn_with_columns_that_are_not_used() -> None:
    """A dropped column of a matrix has none."""
    columns = make_column_transformer(("passthrough", [0, 2]))
    frame = pd.DataFrame(NOISE, columns=["a", "date", "c"])
    y = (NOISE[:, 0] > 0).astype(int)
    estimator = make_pipeline(columns, LogisticRegression()).fit(frame, y)
    described = metrics_of(estimator, frame, y, test=(frame, y))["importances"]
    assert described["method"] == ON_TEST_DATA
    assert [feature["name"] for feature in described["features"]] == ["a", "c"]


def test_importances_are_left_out_if_they_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The accuracy is not."""
    monkeypatch.setattr("training.evaluation.importance.TIME_LIMIT_SECONDS", 0.0)
    assert "importances" not in metrics_of(LogisticRegression().fit(NOISE, COIN), NOISE, COIN, cv=2)
