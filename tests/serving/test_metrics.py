"""The lines of the log hold metrics in CloudWatch's embedded metric format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)
from sklearn.ensemble import HistGradientBoostingClassifier

from chalicelib.models.model import load_model
from chalicelib.models.training_range import MAX_COUNTED_CELLS
from tests.hostile_requests.request import ONES
from tests.support.app import App
from tests.support.emf import check_lines, total
from tests.support.log import logged
from tests.support.models import WineModel, publish_to_folder
from training.artifact import BuiltModel, build_artifact
from training.registry import ModelRegistry

MAX_BYTES = 800

Read = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def read(capfd: pytest.CaptureFixture[str]) -> Read:
    """Return a function that checks and returns the lines with metrics since its last call."""

    def read() -> list[dict[str, Any]]:
        return check_lines(capfd.readouterr().out)

    return read


@pytest.fixture
def start(start_app: Callable[..., App]) -> Callable[..., App]:
    """Return a function that starts the app with metrics."""

    def start(**environment: str) -> App:
        return start_app(**{"LOG_LEVEL": "info", "METRICS": "on", "MODEL_NAME": "m"} | environment)

    return start


@pytest.fixture
def app(start: Callable[..., App], wine_store: ModelRegistry) -> App:
    """The app with metrics, serving the wine model."""
    return start(MODEL_URL=wine_store.url)


@pytest.fixture
def people_app(start: Callable[..., App], people: BuiltModel, tmp_path: Path) -> App:
    """The app, serving that model."""
    return start(MODEL_URL=publish_to_folder(people, tmp_path / "people").url)


COUNTED = {"Requests", "Rows", "Missing", "OutOfRange", "Unseen", "Class", "Predictions", "Model"}
USUAL = {"age": 15, "height": 1.5, "town": "Ulm", "secret": "a"}


def test_a_line_has_the_metrics_of_its_request(app: App, read: Read) -> None:
    """Requests, rows, latency, predictions; and the first request of an instance is cold."""
    label = app.classify(ONES).body["prediction"]
    [line] = lines = read()
    assert line["event"] == "request"
    assert line["Latency"] == line["ms"] > 0
    assert [total(lines, name) for name in ("Requests", "Rows", "ColdStarts")] == [1, 1, 1]
    assert total(lines, "Predictions", Model="m", Class=label) == 1
    app.classify(ONES)
    assert total(read(), "ColdStarts") == 0


def test_predictions_are_counted_by_class(app: App, trained: WineModel, read: Read) -> None:
    """A line has one class: further ones take lines of their own."""
    samples = trained.dataset.X.tolist()
    labels = app.classify(samples).body["predictions"]
    lines = read()
    counts = [total(lines, "Predictions", Class=label) for label in "012"]
    assert counts == [labels.count(label) for label in "012"]
    assert (total(lines, "Rows"), total(lines, "Requests")) == (len(samples), 1)
    assert [line["event"] for line in lines] == ["request", "metrics", "metrics"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "malformed"),
        (b'{"data":"x"}', "invalid"),
        (b'{"data":1,"x":1}', "invalid"),
    ],
)
def test_rejected_requests_are_counted_by_kind(
    app: App, read: Read, body: bytes, kind: str
) -> None:
    """And in all; their samples are not."""
    app.request("POST", "/classify", body)
    lines = read()
    assert total(lines, "Rejected") == total(lines, "Rejected", Kind=kind) == 1
    assert (total(lines, "Requests"), total(lines, "Rows")) == (1, 0)


@pytest.mark.parametrize(
    ("method", "path", "media_type", "status", "kind"),
    [
        ("GET", "/nowhere", "application/json", 404, "unknown"),
        ("PUT", "/classify", "application/json", 405, "unsupported"),
        ("POST", "/classify", "application/json", 413, "too_large"),
        ("POST", "/classify", "text/plain", 415, "unsupported"),
    ],
)
def test_requests_that_are_not_parsed_have_a_kind_too(
    app: App, read: Read, method: str, path: str, media_type: str, status: int, kind: str
) -> None:
    """The status tells it."""
    body = b'{"data":[%s]}' % b",".join([b"[1]"] * 10_001)
    assert app.request(method, path, body, {"Content-Type": media_type}).status == status
    assert total(read(), "Rejected", Kind=kind) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (0, 0, 0)),
        ({"age": None}, (1, 0, 0)),
        ({"age": 1e6, "height": -1}, (0, 2, 0)),
        ({"town": "Paris"}, (0, 0, 1)),
        ({"secret": "c"}, (0, 0, 0)),
        ({"age": None, "height": 0, "town": "Paris"}, (1, 1, 1)),
    ],
)
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_unusual_values_are_counted(
    people_app: App,
    read: Read,
    changes: dict[str, object],
    expected: tuple[int, int, int],
    rows: int,
) -> None:
    """Missing, out of range, unseen; private features have no range, and a batch adds up."""
    cold: dict[str, object] = {}
    warm: dict[str, object] = {}
    for found in (cold, warm):
        assert people_app.classify([USUAL | changes] * rows).status == 200
        lines = read()
        counted = [total(lines, name) for name in ("Missing", "OutOfRange", "Unseen")]
        assert counted == [rows * number for number in expected]
        found |= {name: lines[0][name] for name in lines[0].keys() & COUNTED}
    assert cold == warm


def test_the_ends_of_a_range_are_within_it(people_app: App, people: BuiltModel, read: Read) -> None:
    """Also in a batch that holds a number beyond them."""
    age = load_model(people.artifact).manifest.signature.features[0]
    assert age.minimum is not None
    assert age.maximum is not None
    ages = [age.minimum, age.maximum, age.minimum - 1, age.maximum + 1]
    assert people_app.classify([USUAL | {"age": value} for value in ages]).status == 200
    assert total(read(), "OutOfRange") == 2


def test_unusual_values_of_a_large_batch_are_estimated(people_app: App, read: Read) -> None:
    """From samples at equal distances."""
    rows = 2 * MAX_COUNTED_CELLS
    random = np.random.default_rng(1)
    kinds = random.choice(4, rows, p=[0.7, 0.1, 0.1, 0.1])
    changes = [{}, {"height": None}, {"age": 1e6}, {"town": "Paris"}]
    assert people_app.classify([USUAL | changes[kind] for kind in kinds]).status == 200
    lines = read()
    for kind, metric in enumerate(("Missing", "OutOfRange", "Unseen"), start=1):
        # Three standard deviations of a share of 0.1 in 1,000 samples are 0.03.
        assert total(lines, metric) == pytest.approx(sum(kinds == kind), abs=0.03 * rows)
        assert total(lines, metric) > 0


@pytest.mark.parametrize("settings", [{"LOG_SAMPLE": "0.01"}, {"LOG_LEVEL": "warning"}])
def test_metrics_of_requests_without_a_line_wait_for_one(
    start: Callable[..., App], wine_store: ModelRegistry, read: Read, settings: dict[str, str]
) -> None:
    """None is lost: a line has at most 100 requests, and a rejected one takes all along."""
    app = start(MODEL_URL=wine_store.url, **settings)
    app.classify(ONES)
    assert len(read()) == 1
    for _ in range(100):
        app.classify(ONES)
    [line] = lines = read()
    assert (total(lines, "Requests"), len(line["Latency"])) == (100, 100)
    for data in [ONES, [ONES] * 3, "x"]:
        app.classify(data)
    lines = read()
    assert [total(lines, name) for name in ("Requests", "Rows", "Rejected")] == [3, 4, 1]


def test_metrics_wait_a_minute_at_most(
    start: Callable[..., App],
    wine_store: ModelRegistry,
    read: Read,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then the next request takes them along."""
    app = start(MODEL_URL=wine_store.url, LOG_SAMPLE="0.01")
    for _ in range(3):
        app.classify(ONES)
    assert len(read()) == 1
    monkeypatch.setattr("chalicelib.monitoring.request_log.FLUSH_SECONDS", 0.0)
    app.classify(ONES)
    [line] = lines = read()
    assert (line["event"], total(lines, "Requests")) == ("metrics", 3)


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        (["weiß", " ", "x" * 101, 'a"b'], ["class-0", "class-2", "class-3", 'a"b']),
        ([f"l{i:02}" for i in range(25)], [f"l{i:02}" for i in range(20)] + ["other"]),
    ],
)
def test_any_class_has_a_dimension_that_cloudwatch_takes(
    start: Callable[..., App], tmp_path: Path, read: Read, labels: list[str], values: list[str]
) -> None:
    """At most 20: each is a metric that is paid for."""
    X = np.arange(len(labels), dtype=float).repeat(20)[:, None]
    y = np.array(labels, dtype=object).repeat(20)
    estimator = HistGradientBoostingClassifier(min_samples_leaf=5).fit(X, y)
    built = build_artifact(estimator, X, y, name="classes")
    app = start(MODEL_URL=publish_to_folder(built, tmp_path / "store").url)
    app.classify(X.tolist())
    lines = read()
    assert {line["Class"] for line in lines} == set(values)
    assert sum(line["Predictions"] for line in lines) == len(X)


def test_aws_powertools_writes_the_same_metrics(app: App, read: Read) -> None:
    """Each directive of a line, rebuilt with AWS's own serializer."""
    app.classify([".10"] + ["13"] * 12)
    app.classify("x")
    lines = read()
    assert len(lines) == 2
    for line in lines:
        for directive in line["_aws"]["CloudWatchMetrics"]:
            serializer = AmazonCloudWatchEMFProvider(namespace=directive["Namespace"])
            serializer.set_timestamp(line["_aws"]["Timestamp"])
            first, *others = directive["Dimensions"]
            for name in first:
                serializer.add_dimension(name, line[name])
            for names in others:
                serializer.add_dimensions(**{name: line[name] for name in names})
            for metric in directive["Metrics"]:
                serializer.add_metric(metric["Name"], metric["Unit"], line[metric["Name"]])
            written = json.loads(json.dumps(serializer.serialize_metric_set()))
            metadata = written.pop("_aws")
            assert metadata == line["_aws"] | {"CloudWatchMetrics": [directive]}
            for name, value in written.items():
                assert line[name] == (value[0] if isinstance(value, list) else value)


def test_metrics_can_be_turned_off(
    start: Callable[..., App], wine_store: ModelRegistry, capfd: pytest.CaptureFixture[str]
) -> None:
    """The line stays."""
    start(MODEL_URL=wine_store.url, METRICS="off").classify(ONES)
    output = capfd.readouterr().out
    assert (len(logged(output, "request")), "_aws" in output) == (1, False)


def test_a_failure_to_count_spoils_no_response(
    app: App, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """An event says so; the request has its line."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("chalicelib.monitoring.metrics.count_unusual", fail)
    assert app.classify(ONES).status == 200
    output = capfd.readouterr().out
    assert logged(output, "metrics failed")[0]["error"] == "ZeroDivisionError"
    [line] = logged(output, "request")
    assert line["Requests"] == 1


def test_the_line_of_a_plain_request_is_small(app: App, capfd: pytest.CaptureFixture[str]) -> None:
    """Logs are paid for by size; the first request's id is Lambda's, which is the longest."""
    context = type("Context", (), {"aws_request_id": "0d9f3e8c-1b2c-4d5e-8f90-123456789abc"})
    event = {"httpMethod": "POST", "resourcePath": "/classify"}
    body = json.dumps({"data": ".10"})
    for _ in range(2):
        app.module.app({"requestContext": event, "body": body}, context)
    cold, warm = capfd.readouterr().out.splitlines()[-2:]
    assert len(warm) < len(cold) < MAX_BYTES
