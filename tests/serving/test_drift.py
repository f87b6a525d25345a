"""The log counts what was served by bin, and tells no value."""

from __future__ import annotations

import json
import re
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.samples import Samples, read_samples
from chalicelib.models.manifest import Manifest
from chalicelib.models.model import load_model
from chalicelib.monitoring.drift import DriftLog
from chalicelib.monitoring.drift_counts import DriftCounts
from chalicelib.monitoring.drift_index import drift_index
from tests.support.app import App
from tests.support.artifacts import rewrite_manifest
from tests.support.log import logged
from tests.support.models import WineModel, publish_to_folder
from training.artifact import BuiltModel, build_artifact
from training.registry import ModelRegistry

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def manifest(mixed: BuiltModel) -> Manifest:
    """The manifest of a model with a feature of each kind."""
    return load_model(mixed.artifact).manifest


def to_samples(rows: list[list[Any]], manifest: Manifest) -> Samples:
    """Parse the rows of a request."""
    return read_samples(rows, manifest.signature, locate_in_rows("data"), max_rows=len(rows))


def test_the_api_does_not_tell_the_distribution(app: App) -> None:
    """Neither the manifest that it shows nor the description of its routes."""
    for path in ("/model", "/openapi.json", "/v2/models/wine"):
        response = app.request("GET", path)
        assert response.status == 200
        assert "distribution" not in json.dumps(response.body)


def test_requests_are_counted_by_bin_and_class(
    start_app: Callable[..., App], trained: WineModel, wine_store: ModelRegistry, capfd: Capture
) -> None:
    """Those of all protocols, rejected ones not; each line has all since the window began."""
    app = start_app(MODEL_URL=wine_store.url, DRIFT="on", DRIFT_SECONDS="0.000001")
    row = trained.dataset.X[0].tolist()
    app.classify(row)
    app.classify("x")
    app.request("POST", "/invocations", json.dumps({"instances": [row]}).encode())
    app.classify({"alcohol": 1})
    lines = logged(capfd.readouterr().out, "drift")
    assert [line["counted"] for line in lines] == [1, 2, 3]
    assert len({line["window"] for line in lines}) == 1
    *features, classes = [
        [int(count or 0) for count in bins.split(",")] for bins in lines[-1]["counts"].split(";")
    ]
    assert all(sum(bins) == 3 for bins in [*features, classes])
    assert features[0][-1] == 0
    assert all(bins[-1] == 1 for bins in features[1:])  # missing in the last request
    assert classes == [2, 1, 0]


def test_a_summary_holds_no_value(
    start_app: Callable[..., App], mixed: BuiltModel, tmp_path: Path, capfd: Capture
) -> None:
    """Nor an edge or a category: it has counts alone."""
    registry = publish_to_folder(mixed, tmp_path / "mixed")
    app = start_app(MODEL_URL=registry.url, DRIFT="on", DRIFT_SECONDS="0.000001")
    sample = {"size": 0.123456789, "count": 2, "old": True, "colour": "white"}
    for _ in range(3):
        assert app.classify(sample).status == 200
    [*_, line] = [text for text in capfd.readouterr().out.splitlines() if '"drift"' in text]
    assert not re.search("0.123|white|red|size|colour", line)
    assert set(json.loads(line)) == {
        "event", "version", "window", "requests", "rows", "counted", "worth", "counts",
    }  # fmt: skip


def test_each_window_of_rows_ends_with_the_drift_index_as_a_metric(
    start_app: Callable[..., App], trained: WineModel, wine_store: ModelRegistry, capfd: Capture
) -> None:
    """In CloudWatch's embedded metric format; without metrics the line has the number alone."""
    random = np.random.default_rng(0)
    rows = trained.dataset.X[random.integers(0, 178, 310)]
    settings = {"DRIFT": "on", "DRIFT_ROWS": "150", "LOG_LEVEL": "error", "MODEL_NAME": "my wine"}
    app = start_app(MODEL_URL=wine_store.url, METRICS="on", **settings)
    for row in rows.tolist():
        app.classify(row)
    lines = logged(capfd.readouterr().out, "drift")
    closed = [line for line in lines if "DriftIndex" in line]
    assert [line["counted"] for line in closed] == [150, 150]
    assert [line["window"][-2:] for line in closed] == ["-0", "-1"]
    for line in closed:
        assert 0 < line["DriftIndex"] < 1
        assert line["Model"] == "my wine"
        assert line["_aws"]["CloudWatchMetrics"] == [
            {
                "Namespace": "Classifier",
                "Dimensions": [["Model"]],
                "Metrics": [{"Name": "DriftIndex", "Unit": "None"}],
            }
        ]
    app = start_app(MODEL_URL=wine_store.url, METRICS="off", **settings)
    for row in rows[:150].tolist():
        app.classify([13.0 if value is None else value + 9 for value in row])
    [line] = [line for line in logged(capfd.readouterr().out, "drift") if "DriftIndex" in line]
    assert line["DriftIndex"] > 1
    assert "_aws" not in line


def test_at_most_half_of_the_rows_of_a_process_are_lost(manifest: Manifest) -> None:
    """Whenever it is killed: lines follow when what was counted has doubled."""
    log = DriftLog("m", seconds=1e9, rows=100, has_metric=False)
    sample = to_samples([[0.5, 1, True, "red"]], manifest)
    logged_rows = 0
    for count in range(1, 1_000):
        lines = log.add(sample, ["no"], manifest)
        if lines:
            logged_rows = count
        assert count - logged_rows <= max(1, min(count / 2, 100))


def test_another_model_begins_another_window(manifest: Manifest) -> None:
    """The rows of the one before are logged first."""
    log = DriftLog("m", seconds=1e9, rows=100, has_metric=False)
    sample = to_samples([[0.5, 1, True, "red"]], manifest)
    other = manifest._replace(version="another")
    for _ in range(7):
        log.add(sample, ["no"], manifest)
    [line] = log.add(sample, ["no"], other)
    assert f'"version":"{manifest.version}"' in line
    assert '"counted":7' in line


def test_no_more_than_some_requests_wait_to_be_counted(manifest: Manifest) -> None:
    """Their samples are in memory meanwhile."""
    log = DriftLog("m", seconds=1e9, rows=10_000, has_metric=False)
    samples = []
    for _ in range(1_000):
        sample = to_samples([[0.5, 1, True, "red"]], manifest)
        log.add(sample, ["no"], manifest)
        samples.append(weakref.ref(sample.numbers))
        del sample
    assert sum(sample() is not None for sample in samples) <= 32


@pytest.mark.parametrize("rows", [1, 3, 40, 2_000])
def test_rows_of_a_batch_are_counted_with_equal_probability(mixed: BuiltModel, rows: int) -> None:
    """Weights make up for those that are not, so that the shares are those of all rows."""
    manifest = load_model(mixed.artifact).manifest
    data = [[0.5, 1, row < rows / 4, "red" if row < rows / 2 else "white"] for row in range(rows)]
    labels = ["yes" if row < rows / 4 else "no" for row in range(rows)]
    samples = to_samples(data, manifest)
    counts = DriftCounts(manifest)
    for _ in range(600):
        counts.add(samples, labels)
    assert counts.rows == 600 * rows
    assert counts.counted <= 600 * max(rows, 1)
    totals = counts.totals().counts
    weight = sum(totals[0])
    assert all(sum(bins) == weight for bins in totals)
    assert weight == pytest.approx(counts.rows, rel=0.1)
    assert totals[2][1] / weight == pytest.approx(-(-rows // 4) / rows, abs=0.07)
    assert totals[3][0] / weight == pytest.approx(-(-rows // 2) / rows, abs=0.07)
    assert totals[4][1] / weight == pytest.approx(-(-rows // 4) / rows, abs=0.07)


def test_a_large_batch_is_counted_as_its_rows_are(trained: WineModel) -> None:
    """Column by column, with missing values: the counts are those of the rows one by one."""
    manifest = load_model(trained.built.artifact).manifest
    random = np.random.default_rng(0)
    data = trained.dataset.X[random.integers(0, 178, 5_000)]
    data[random.random(data.shape) < 0.2] = np.nan
    rows = [[None if value != value else value for value in row] for row in data.tolist()]
    samples = to_samples(rows, manifest)
    batch, single = DriftCounts(manifest), DriftCounts(manifest)
    for _ in range(20):
        batch.add(samples, ["0"] * 5_000)
    for row in range(5_000):
        single.add(samples.part(row, 1), ["0"])
    assert batch.counted == 20 * 500
    for some, all_rows in zip(batch.totals().counts, single.totals().counts, strict=True):
        np.testing.assert_allclose(np.array(some) / 100_000, np.array(all_rows) / 5_000, atol=0.03)


def test_requests_whose_rows_are_alike_are_worth_fewer_rows(manifest: Manifest) -> None:
    """Rows of one request are not independent; of different ones they are."""
    random = np.random.default_rng(0)
    sizes = []
    for _ in range(5):  # which rows are counted is left to chance
        alike, mixed_rows = DriftCounts(manifest), DriftCounts(manifest)
        for _ in range(40):
            row = [[float(value), 1, True, "red"] for value in random.normal(size=90)]
            mixed_rows.add(to_samples(row, manifest), ["no"] * 90)
            alike.add(to_samples([row[0]] * 90, manifest), ["no"] * 90)
        sizes.append(mixed_rows.totals().worth[0] / mixed_rows.counted)
        size, count, *_ = alike.totals().worth
        assert size < 0.2 * alike.counted
        assert count > 0.9 * alike.counted  # a constant tells nothing of how alike they are
    assert max(sizes) > 0.9


def test_requests_whose_rows_are_alike_raise_no_alarm() -> None:
    """Of a number that differs between requests; taken for independent, rows raise one often."""
    random = np.random.default_rng(0)
    X = pd.DataFrame({"x": random.normal(size=2_000)})
    y = X["x"] > 0
    artifact = build_artifact(LogisticRegression().fit(X, y), X, y, name="m").artifact
    manifest = load_model(artifact).manifest
    distribution = manifest.document["distribution"]
    training, critical = distribution["features"][0]["counts"], distribution["critical"]
    alarms: dict[bool, int] = {True: 0, False: 0}
    for _ in range(20):
        counts = DriftCounts(manifest)
        for _ in range(30):
            values = random.normal() * 0.9 + random.normal(size=(90, 1)) * 0.44
            counts.add(to_samples(values.tolist(), manifest), ["True"] * 90)
        totals = counts.totals()
        for is_corrected, rows in ((True, totals.worth[0]), (False, counts.counted)):
            index = drift_index(totals.counts[0], training, critical, rows=rows, has_order=True)
            alarms[is_corrected] += index > 1
    assert alarms[True] == 0
    assert alarms[False] > 3


def test_texts_of_any_kind_are_counted() -> None:
    """Unknown categories as others, and texts that are no categories by their length."""
    frame = pd.DataFrame({"town": ["Ulm", "Bonn"] * 50, "name": [f"{'n' * i}" for i in range(100)]})
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["town", "name"]))
    y = [0, 1] * 50
    model = make_pipeline(encoder, LogisticRegression()).fit(frame, y)
    manifest = load_model(build_artifact(model, frame, y, name="t").artifact).manifest
    counts = DriftCounts(manifest)
    for sample in (["Ulm", "n"], ["Kiel", "n" * 500], ["Bonn", "n" * 500]):
        counts.add(to_samples([sample], manifest), ["0"])
    town, name, classes = counts.totals().counts
    assert town == [1, 1, 1, 0]
    assert (name[0], name[-2], name[-1]) == (1, 2, 0)
    assert classes == [3, 0]


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("distribution"),
        lambda manifest: manifest.update(distribution=None),
        lambda manifest: manifest.update(distribution=[]),
        lambda manifest: manifest["distribution"]["features"].pop(),
        lambda manifest: manifest["distribution"]["features"][0].update(edges=["x"]),
        lambda manifest: manifest["distribution"]["features"][0].update(counts=[1]),
        lambda manifest: manifest["distribution"].pop("critical"),
    ],
)
def test_a_model_with_no_or_a_wrong_distribution_is_served(
    start_app: Callable[..., App],
    trained: WineModel,
    tmp_path: Path,
    capfd: Capture,
    change: Callable[[dict[str, Any]], Any],
) -> None:
    """An older one is not counted; a wrong one says so once."""
    registry = ModelRegistry(str(tmp_path / "changed"))
    registry.publish(rewrite_manifest(trained.built.artifact, change))
    app = start_app(MODEL_URL=registry.url, DRIFT="on", DRIFT_ROWS="100", LOG_LEVEL="error")
    row = trained.dataset.X[0].tolist()
    assert {app.classify(row).status for _ in range(120)} == {200}
    output = capfd.readouterr().out
    assert len(logged(output, "drift failed")) <= 1
    assert not [line for line in logged(output, "drift") if "DriftIndex" in line]


def test_nothing_is_counted_unless_drift_is_on(
    start_app: Callable[..., App], wine_store: ModelRegistry, capfd: Capture
) -> None:
    """It is on by default on Lambda alone."""
    for settings in ({}, {"DRIFT": "off", "AWS_LAMBDA_FUNCTION_NAME": "f"}):
        app = start_app(MODEL_URL=wine_store.url, **settings)
        for _ in range(5):
            app.classify(1)
    assert logged(capfd.readouterr().out, "drift") == []
