"""The guides name the parameters, outputs and alarms of the stack, and the events of the log."""

from __future__ import annotations

import ast
import json
import re
from array import array
from collections.abc import Callable
from math import nan
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.inputs.samples import Samples
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.monitoring.metrics import Metrics
from chalicelib.runtimes.base import Prediction
from deployment.sam_template import read_overlay
from tests.support.app import App
from tests.support.log import logged
from tests.support.pages import DOCS, blocks, keys, rows, section, spans
from tests.support.paths import APP
from tests.support.source import trees
from training.registry import ModelRegistry

PROD = read_overlay(APP / ".chalice", "prod")
DEPLOY = DOCS / "how-to/deploy.md"
MONITOR = DOCS / "how-to/monitor.md"

# What a query holds beside fields of the log: words of the language, and names that it gives.
LITERALS = re.compile(r'"[^"]*"|@\w+')
QUERY_WORDS = {"filter", "stats", "fields", "sort", "limit", "by", "and", "or", "in", "as", "desc"}
QUERY_WORDS |= {"count", "sum", "min", "pct", "ispresent"}
QUERY_WORDS |= {"event", "requests", "samples", "since"}


def test_every_parameter_and_output_of_the_stack_is_on_the_page() -> None:
    """With the parameters' defaults."""
    cells_of = {spans(cells[0])[0]: cells for cells in rows(section(DEPLOY, "Parameters"))}
    defaults = {name: str(value["Default"] or "none") for name, value in PROD["Parameters"].items()}
    assert {name: cells[1] for name, cells in cells_of.items()} == defaults
    before_parameters = section(DEPLOY, "Stage prod").partition("### Parameters")[0]
    signed = read_overlay(APP / ".chalice", "prod", auth="iam")
    assert set(keys(before_parameters)) == set(PROD["Outputs"] | signed["Outputs"])


def test_every_alarm_is_on_the_page_with_what_to_do() -> None:
    """In the table of monitor.md; deploy.md names them and leads there."""
    bulk = read_overlay(APP / ".chalice", "prod", bulk=True)
    alarms = {
        name
        for name, resource in bulk["Resources"].items()
        if resource.get("Type") == "AWS::CloudWatch::Alarm"
    }
    table = rows(section(MONITOR, "Alarms"))
    assert {spans(cells[0])[0] for cells in table} == alarms
    assert all(len(cells) == 3 and all(cells) for cells in table)
    listed = {span for span in spans(section(DEPLOY, "Alarms")) if span.endswith("Alarm")}
    assert listed == alarms


def test_every_event_is_on_the_page_with_its_fields() -> None:
    """As `log_event` is called anywhere in the function."""
    logged: dict[str, set[str]] = {}
    for tree in trees(APP):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "log_event":
                [event] = node.args
                assert isinstance(event, ast.Constant), "an event is named where it is logged"
                fields = {keyword.arg or "**" for keyword in node.keywords}
                logged.setdefault(str(event.value), set()).update(fields)
    documented = {
        spans(cells[0])[0]: set(spans(cells[1])) for cells in rows(section(MONITOR, "Log"))
    }
    assert documented == logged


def test_every_field_of_a_request_is_on_the_page(
    start_app: Callable[..., App], wine_store: ModelRegistry, capfd: pytest.CaptureFixture[str]
) -> None:
    """As a request that succeeds and one that is rejected have them."""
    app = start_app(MODEL_URL=wine_store.url, LOG_LEVEL="info")
    app.classify(1)
    app.classify("x")
    lines = logged(capfd.readouterr().out, "request")
    fields = {field for line in lines for field in line} - {"event"}
    assert set(keys(section(MONITOR, "Requests"))) == fields
    fields |= {field for cells in rows(section(MONITOR, "Log")) for field in spans(cells[1])}
    queries = [block.text for block in blocks(MONITOR) if block.language == "text"]
    assert queries
    for query in queries:
        queried = set(re.findall(r"\b[a-z_]+\b", LITERALS.sub("", query)))
        assert queried <= fields | QUERY_WORDS, query


def test_every_field_of_a_drift_summary_is_on_the_page(
    start_app: Callable[..., App], wine_store: ModelRegistry, capfd: pytest.CaptureFixture[str]
) -> None:
    """As one with the drift index has them."""
    app = start_app(MODEL_URL=wine_store.url, DRIFT="on", DRIFT_ROWS="100", METRICS="on")
    for _ in range(100):
        app.classify(1)
    fields = {field for line in logged(capfd.readouterr().out, "drift") for field in line}
    page = DOCS / "how-to/drift.md"
    assert set(keys(section(page, "In the log"))) == fields - {"event", "_aws"}


def test_every_metric_is_on_the_page_with_its_unit_and_dimensions() -> None:
    """As the lines of the log define them."""
    features = (Feature("age", "numeric", False), Feature("town", "categorical", False))
    manifest: Any = SimpleNamespace(signature=Signature(features, ("a",)))
    metrics = Metrics("wine")
    metrics.add_request(1.0, "invalid", is_cold=True)
    prediction = Prediction(["a"], None, out_of_range=["age", "town"])
    metrics.add_samples(Samples(1, array("d", [nan]), ["Ulm"]), prediction, manifest)
    [line] = metrics.flush()
    written = {
        metric["Name"]: (metric["Unit"], directive["Dimensions"])
        for directive in json.loads(f"{{{line}}}")["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }
    documented = {
        spans(cells[0])[0]: (cells[1], [spans(part) for part in cells[2].split(";")])
        for cells in rows(section(MONITOR, "Metrics"))
    }
    assert documented == written


def test_every_metric_of_the_log_is_on_the_page() -> None:
    """Those that filters make."""
    for resource in PROD["Resources"].values():
        for metric in resource["Properties"].get("MetricTransformations", []):
            assert f"`{metric['MetricName']}`" in section(MONITOR, "Alarms")
