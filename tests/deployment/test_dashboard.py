"""The dashboard, the saved queries and the alarm on drift, and the metrics that the app logs."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import prices
from benchmarks.cloudwatch import expand, graph, make_metric, read_metrics
from benchmarks.dashboard import is_in_alarm, read_widgets
from benchmarks.day import Line
from chalicelib.monitoring.drift import METRIC
from chalicelib.monitoring.metrics import NAMESPACE
from deployment.sam_template import read_overlay
from tests.support.app import App
from tests.support.pages import DOCS, blocks
from tests.support.paths import APP

PROD = read_overlay(APP / ".chalice", "prod")["Resources"]
BODY = json.loads(PROD["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
WIDGETS = BODY["widgets"]
METRICS = [widget["properties"] for widget in WIDGETS if widget["type"] == "metric"]
TITLES = [properties["title"] for properties in METRICS]

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
WIDGET = {"type", "x", "y", "width", "height", "properties"}
PROPERTIES = {
    "metric": {
        "title", "region", "view", "stacked", "stat", "period", "metrics", "yAxis", "annotations",
    },
    "text": {"markdown"},
    "log": {"title", "region", "view", "query"},
    "alarm": {"title", "alarms"},
}  # fmt: skip
REQUIRED = {
    "metric": {"region", "metrics"},
    "text": {"markdown"},
    "log": {"region", "query"},
    "alarm": {"alarms"},
}
OPTIONS = {"id", "label", "visible", "yAxis", "stat", "color", "expression"}


def test_the_body_has_the_structure_that_cloudwatch_documents() -> None:
    """Each widget within the grid of 24 columns, with the properties of its type."""
    assert BODY.keys() <= {"start", "end", "periodOverride", "variables", "widgets"}
    assert len(WIDGETS) <= 500
    taken: set[tuple[int, int]] = set()
    for widget in WIDGETS:
        assert widget.keys() == WIDGET
        properties = widget["properties"].keys()
        assert REQUIRED[widget["type"]] <= properties <= PROPERTIES[widget["type"]]
        assert widget["x"] + widget["width"] <= 24
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken
        taken |= cells


@pytest.mark.parametrize("properties", METRICS, ids=TITLES)
def test_the_metrics_of_a_widget_are_well_formed(properties: dict[str, Any]) -> None:
    """Pairs of dimensions, known options, unique ids, expressions of ids that are there."""
    assert properties["view"] in ("timeSeries", "singleValue", "bar", "pie", "gauge")
    assert properties["period"] % 60 == 0
    ids: list[str] = []
    for fields, options in expand(properties["metrics"]):
        assert options.keys() <= OPTIONS
        assert options.get("yAxis", "left") in ("left", "right")
        ids += [options["id"]] if "id" in options else []
        if "expression" in options:
            assert fields == []
            assert "id" in options
            if not options["expression"].startswith("SEARCH"):
                names = {
                    node.id
                    for node in ast.walk(ast.parse(options["expression"]))
                    if isinstance(node, ast.Name)
                }
                assert names - {"FILL"} <= set(ids)
        else:
            assert len(fields) >= 4
            assert len(fields) % 2 == 0
            assert re.fullmatch(r"p\d+|Sum|Maximum", options.get("stat") or properties["stat"])
    assert all(re.fullmatch(r"[a-z][a-zA-Z0-9_]*", each) for each in ids)
    assert len(ids) == len(set(ids))


def test_what_a_body_refers_to_is_in_the_template() -> None:
    """Alarms, and the two parameters of AWS that every stack has."""
    names = set(re.findall(r"\$\{([^}]+)\}", json.dumps(BODY)))
    alarms = {
        f"{name}.Arn"
        for name, resource in PROD.items()
        if resource.get("Type") == "AWS::CloudWatch::Alarm"
    }
    assert names == {"AWS::Region", "AWS::StackName"} | alarms


def metrics_of(app: App, capsys: pytest.CaptureFixture[str]) -> Any:
    """Send requests that the app answers and rejects, and read the metrics from its log."""
    app.classify(".10")
    app.classify([[13.2, *[None] * 12]])
    app.classify({"alcohl": 1})
    app.request("POST", "/classify", b"{")
    texts = capsys.readouterr().out.splitlines()
    return read_metrics([Line(60.0 * at, text) for at, text in enumerate(texts)], "wine")


@pytest.fixture
def values(
    start_app: Callable[..., App], wine_store: Any, capsys: pytest.CaptureFixture[str]
) -> Any:
    """The metrics of some requests."""
    app = start_app(MODEL_URL=wine_store.url, METRICS="on", LOG_LEVEL="info")
    return metrics_of(app, capsys)


def test_every_metric_of_the_app_is_on_the_dashboard_under_the_name_that_it_logs(
    values: Any,
) -> None:
    """Namespace, dimensions and names: a metric with another name has no data, and no error."""
    logged = {
        (metric.name, frozenset(name for name, _ in metric.dimensions))
        for metric in values
        if metric.namespace == NAMESPACE
    }
    assert {name for name, _ in logged} >= {"Requests", "Rows", "Latency", "ColdStarts", "Missing"}
    model = {dict(metric.dimensions)["Model"] for metric in values if metric.namespace == NAMESPACE}
    shown = set()
    for properties in METRICS:
        for fields, options in expand(properties["metrics"]):
            if fields[:1] == [NAMESPACE]:
                dimensions = dict(zip(fields[2::2], fields[3::2], strict=True))
                shown.add((fields[1], frozenset(dimensions)))
                assert {dimensions["Model"]} == model
            elif "SEARCH" in options.get("expression", ""):
                assert f'Model="{model.copy().pop()}"' in options["expression"]
                shown.add(("Predictions", frozenset({"Model", "Class"})))
    rejected = ("Rejected", frozenset({"Model"}))  # its sum over the kinds
    assert logged - {rejected} <= shown
    assert {name for name, _ in shown} - {name for name, _ in logged} == {METRIC, "Unseen"}


def test_a_widget_shows_what_was_logged(values: Any) -> None:
    """Samples by class, found by a search; errors by kind."""
    [classes] = [each for each in METRICS if each["title"] == "Samples by predicted class"]
    lines = graph(classes, values)
    assert sum(line.values[0] for line in lines) == 2
    [errors] = [each for each in METRICS if each["title"] == "Requests with an error, by kind"]
    shown = {line.label: line.values[0] for line in graph(errors, values) if line.values[0] > 0}
    assert shown == {"invalid": 1, "malformed": 1}


def test_the_cost_has_the_prices_of_the_benchmark() -> None:
    """And the memory of the configuration."""
    [cost] = [each for each in METRICS if each["title"].startswith("Cost estimate")]
    memory = json.loads((APP / ".chalice/config.json").read_text())["lambda_memory_size"]
    one = {"calls": 1e6, "duration": 0.0, "requests": 0.0, "bytes": 0.0}
    expected = {
        "calls": prices.USD_PER_MILLION_LAMBDA_REQUESTS,
        "duration": 1e3 * memory / 1024 * prices.USD_PER_GB_SECOND,
        "requests": prices.USD_PER_MILLION_API_REQUESTS,
        "bytes": prices.USD_PER_GB_OF_LOG * 1e-3,
    }
    for name, dollars in expected.items():
        amounts = {key: 1e6 if key == name else 0.0 for key in one}
        total = sum(
            eval(options["expression"], {}, amounts)
            for _, options in expand(cost["metrics"])
            if "expression" in options
        )
        assert total == pytest.approx(dollars)


def test_the_saved_queries_are_those_of_the_page() -> None:
    """In the same words, on the log of the function."""
    saved = set()
    for resource in PROD.values():
        if resource.get("Type") == "AWS::Logs::QueryDefinition":
            separator, commands = resource["Properties"]["QueryString"]["Fn::Join"]
            saved.add(separator.join(commands))
            assert resource["Properties"]["LogGroupNames"] == [{"Ref": "FunctionLog"}]
    page = DOCS / "how-to" / "monitor.md"
    assert saved == {block.text.strip() for block in blocks(page) if block.language == "text"}


def test_the_alarm_on_drift_goes_off_above_one_and_stays_until_the_next_index() -> None:
    """An instance sends an index for each window of samples."""
    _, alarms = read_widgets()
    metric = make_metric(NAMESPACE, METRIC, Model="wine-classifier")
    assert not is_in_alarm(alarms["DriftAlarm"], {})
    assert not is_in_alarm(alarms["DriftAlarm"], {metric: [(60.0, 1.0)]})
    assert is_in_alarm(alarms["DriftAlarm"], {metric: [(60.0, 0.4), (3_600.0, 1.1)]})
    assert not is_in_alarm(alarms["DriftAlarm"], {metric: [(60.0, 1.1), (3_600.0, 0.4)]})


@pytest.mark.parametrize("variables", [{}, {"MODEL_NAME": "churn"}])
def test_metrics_have_the_name_that_the_function_has(
    variables: dict[str, str], tmp_path: Path
) -> None:
    """`NAME` of make sets it."""
    for path in (APP / ".chalice").glob("*.json"):
        (tmp_path / path.name).write_text(path.read_text())
    config = json.loads((tmp_path / "config.json").read_text())
    config["stages"]["prod"]["environment_variables"] |= variables
    (tmp_path / "config.json").write_text(json.dumps(config))
    text = json.dumps(read_overlay(tmp_path, "prod"))
    name = variables.get("MODEL_NAME", "wine-classifier")
    assert "MODEL-NAME" not in text
    assert f'{{"Name": "Model", "Value": "{name}"}}' in text


def test_tracing_is_for_the_api_and_the_function_and_off_by_default() -> None:
    """With the permission to write traces, and no other one."""
    assert "xray" not in json.dumps(PROD)
    traced = read_overlay(APP / ".chalice", "prod", tracing=True)["Resources"]
    assert traced["RestAPI"]["Properties"]["TracingEnabled"] is True
    assert traced["APIHandler"]["Properties"]["Tracing"] == "Active"
    [statement] = traced["WriteTraces"]["Properties"]["PolicyDocument"]["Statement"]
    assert set(statement["Action"]) == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
