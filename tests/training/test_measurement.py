"""Publishing measures the time that a model takes for a sample."""

from __future__ import annotations

import logging
from array import array
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from chalicelib.inputs.samples import Samples
from chalicelib.local import speed
from chalicelib.models.artifact import read_manifest
from chalicelib.runtimes.base import Prediction
from tests.support.artifacts import with_row_seconds
from tests.support.models import WineModel
from training.__main__ import main
from training.artifact import build_artifact
from training.measurement import measure, warn_if_slow
from training.publish import publish


class Clock:
    """A clock that a classifier moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class TimedClassifier:
    """A classifier that takes a constant time for a batch, and one for each sample of it.

    The first batch of a size takes twice as long.
    """

    runtime = "none"

    def __init__(self, clock: Clock, *, batch: float, row: float) -> None:
        self._clock, self._batch, self._row = clock, batch, row
        self.batches: list[Samples] = []

    def check_cost(self, samples: Samples) -> None:
        """Accept all samples."""

    def predict(self, samples: Samples) -> Prediction:
        """Take the time."""
        is_first = samples.rows not in [batch.rows for batch in self.batches]
        self.batches.append(samples)
        self._clock.now += (1 + is_first) * (self._batch + samples.rows * self._row)
        return Prediction([], None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the measurement, on a machine that is half as fast as the reference."""
    clock = Clock()
    monkeypatch.setattr("chalicelib.local.speed.time.process_time", clock)
    monkeypatch.setattr("chalicelib.local.speed.measure_speed", lambda: 0.5)
    return clock


def samples_of(rows: int, width: int) -> Samples:
    """Return samples of different numbers."""
    return Samples(rows, array("d", range(rows * width)), [])


@pytest.mark.parametrize(
    ("row", "rows"), [(1e-7, 10_000), (1e-6, 10_000), (1e-4, 256), (0.002, 16), (3.0, 4)]
)
def test_a_batch_is_timed_that_takes_long_enough(clock: Clock, row: float, rows: int) -> None:
    """Or the largest that a request may hold; the fastest of some batches counts."""
    classifier = TimedClassifier(clock, batch=0, row=row)
    assert speed.measure_row_seconds(classifier, samples_of(7, 2)) == pytest.approx(row / 2)
    assert [batch.rows for batch in classifier.batches[-3:]] == [rows] * 3
    assert rows == max(batch.rows for batch in classifier.batches)


def test_what_a_batch_takes_is_shared_by_its_samples(clock: Clock) -> None:
    """A slow start of each batch makes no model slow."""
    classifier = TimedClassifier(clock, batch=0.001, row=1e-4)
    assert speed.measure_row_seconds(classifier, samples_of(7, 2)) < 1.1e-4 / 2


def test_a_batch_of_wide_samples_has_no_more_cells_than_a_request(clock: Clock) -> None:
    """Nor does it take the memory of more."""
    classifier = TimedClassifier(clock, batch=0, row=1e-7)
    speed.measure_row_seconds(classifier, samples_of(3, 4_000))
    assert max(batch.rows for batch in classifier.batches) == 250


def test_the_samples_of_a_batch_are_as_different_as_they_can_be() -> None:
    """All of them, again and again; equal ones would be faster than those of requests."""
    samples = Samples(3, array("d", [1, 2, 3]), ["a", "b", "c"])
    assert speed.repeat_samples(samples, 2) == Samples(2, array("d", [1, 2]), ["a", "b"])
    assert speed.repeat_samples(samples, 7) == Samples(
        7, array("d", [1, 2, 3, 1, 2, 3, 1]), ["a", "b", "c", "a", "b", "c", "a"]
    )


def test_the_machine_is_compared_with_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes twice as long is half as fast."""
    times = iter([1.0, 1.0 + 2 * speed.REFERENCE_SECONDS])
    monkeypatch.setattr("chalicelib.local.speed.time.process_time", lambda: next(times))
    assert speed.measure_speed() == pytest.approx(0.5)


def test_the_manifest_has_the_time_of_a_sample(
    trained: WineModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no part of the version, which the content decides."""
    assert 0 < read_manifest(trained.built.artifact)["row_seconds"] < 1e-3
    X, y = [[0.0], [1.0]] * 20, [0, 1] * 20
    estimator = LogisticRegression().fit(X, y)
    versions = set()
    for seconds in (0.1, 0.2):
        monkeypatch.setattr("training.artifact.measure", lambda *_, s=seconds: {"row_seconds": s})
        built = build_artifact(estimator, X, y, name="model")
        versions.add(built.version)
        assert read_manifest(built.artifact)["row_seconds"] == seconds
    assert len(versions) == 1


def measured_samples(monkeypatch: pytest.MonkeyPatch, estimator: Any, X: Any, y: Any) -> Samples:
    """Return the samples that a model's time is measured with."""
    found: list[Samples] = []

    def recorded(artifact: bytes, samples: Samples) -> dict[str, Any]:
        found.append(samples)
        return measure(artifact, samples)

    monkeypatch.setattr("training.artifact.measure", recorded)
    build_artifact(estimator.fit(X, y), X, y, name="model")
    return found[0]


def test_samples_of_the_whole_table_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are often sorted."""
    X = pd.DataFrame({"a": range(4_000)}, dtype=float)
    samples = measured_samples(monkeypatch, LogisticRegression(), X, X["a"] > 2_000)
    assert samples.rows == len(set(samples.numbers)) == 1_000
    assert (samples.numbers[0], samples.numbers[-1]) == (0, 3_999)


def test_long_texts_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The characters of a request are bounded by themselves."""
    texts = [f"{'word ' * 100} number{index}" for index in range(20)]
    pipeline = make_pipeline(CountVectorizer(), LogisticRegression())
    samples = measured_samples(monkeypatch, pipeline, texts, ["yes", "no"] * 10)
    assert samples.rows == 20
    assert max(len(text or "") for text in samples.texts) < 20


def test_publishing_a_slow_model_says_how_much_a_request_may_hold(
    trained: WineModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The command too."""
    path = tmp_path / "slow.onnx"
    path.write_bytes(with_row_seconds(trained.built.artifact, 0.0021))
    with caplog.at_level(logging.WARNING):
        assert main(["publish", str(path), "--to", str(tmp_path / "store")]) == 0
    assert caplog.messages == [
        "a request may hold 357 samples, not 10,000: the model takes 2.1 ms for each; "
        "MODEL_MAX_SECONDS of a server allows more"
    ]


def test_publishing_from_python_says_it_too(
    trained: WineModel,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And nothing of a fast model."""
    estimator, dataset = trained.estimator, trained.dataset
    with caplog.at_level(logging.WARNING):
        warn_if_slow(trained.built.artifact)
        assert caplog.messages == []
        monkeypatch.setattr("training.artifact.measure", lambda *_: {"row_seconds": 0.01})
        publish(estimator, dataset.X, dataset.y, to=str(tmp_path), cv=0)
    assert caplog.messages[0].startswith("a request may hold 75 samples, not 10,000")
