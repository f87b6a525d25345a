"""What CloudWatch makes of a log: metrics, their statistics, and the lines of a dashboard."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.day import DAY_SECONDS, Line

Series = npt.NDArray[np.float64]  # a value for each period of the day, NaN without data
Values = dict["Metric", list[tuple[float, float]]]

_SEARCH = re.compile(r"SEARCH\('\{([\w,]+)\} (.*)', '(\w+)', (\d+)\)")
_TERM = re.compile(r'(\w+)="([^"]*)"')


class Metric(NamedTuple):
    """A metric: its namespace, name and dimensions."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


class Graphed(NamedTuple):
    """A line of a graph."""

    label: str
    values: Series
    is_right: bool
    color: str | None


def make_metric(namespace: str, name: str, **dimensions: str) -> Metric:
    """Return a metric by its parts."""
    return Metric(namespace, name, frozenset(dimensions.items()))


def read_metrics(lines: Iterable[Line], stack: str) -> Values:
    """Return the values of the metrics in a log, and of those that AWS's services have of it."""
    values: Values = defaultdict(list)
    function = {"FunctionName": stack}
    api = {"ApiName": stack, "Stage": "Prod"}
    log = make_metric("AWS/Logs", "IncomingBytes", LogGroupName=f"/aws/lambda/{stack}")
    for at, text in lines:
        line = json.loads(text)
        values[log].append((at, len(text) + 26.0))  # CloudWatch adds 26 bytes to each event
        for metric, value in _embedded(line):
            values[metric].append((at, value))
        if line["event"] == "request":
            values[make_metric("AWS/Lambda", "Invocations", **function)].append((at, 1))
            values[make_metric("AWS/Lambda", "Duration", **function)].append((at, line["ms"]))
            values[make_metric("AWS/ApiGateway", "Count", **api)].append((at, 1))
            values[make_metric("AWS/ApiGateway", "Latency", **api)].append((at, line["ms"]))
            if line["status"] >= 400:
                name = f"{line['status'] // 100}XXError"
                values[make_metric("AWS/ApiGateway", name, **api)].append((at, 1))
    return values


def _embedded(line: dict[str, Any]) -> Iterable[tuple[Metric, float]]:
    """Yield the values of a line's metrics in the embedded metric format."""
    for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, str(line[name])) for name in names)
            for metric in directive["Metrics"]:
                value = line[metric["Name"]]
                for number in value if isinstance(value, list) else [value]:
                    yield Metric(directive["Namespace"], metric["Name"], dimensions), number


def statistic(values: list[tuple[float, float]], name: str, period: int) -> Series:
    """Return a statistic of values for each period of the day."""
    bins: dict[int, list[float]] = defaultdict(list)
    for at, value in values:
        bins[int(at // period)].append(value)
    result = np.full(math.ceil(DAY_SECONDS / period), np.nan)
    for index, numbers in bins.items():
        if name.startswith("p"):
            result[index] = np.percentile(numbers, float(name[1:]))
        else:
            result[index] = sum(numbers) if name == "Sum" else max(numbers)
    return result


def expand(rows: list[list[Any]]) -> list[tuple[list[str], dict[str, Any]]]:
    """Return the metrics of a widget without its abbreviations, each with its options."""
    expanded: list[tuple[list[str], dict[str, Any]]] = []
    previous: list[str] = []
    for row in rows:
        options = row[-1] if isinstance(row[-1], dict) else {}
        fields = [field for field in row if isinstance(field, str)]
        if fields[:1] == ["..."]:
            fields = previous[: len(previous) - len(fields) + 1] + fields[1:]
        fields = [previous[i] if field == "." else field for i, field in enumerate(fields)]
        previous = fields or previous
        expanded.append((fields, options))
    return expanded


def graph(properties: dict[str, Any], values: Values) -> list[Graphed]:
    """Return the lines of a widget of metrics."""
    graphed: list[Graphed] = []
    by_id: dict[str, Any] = {"FILL": lambda series, value: np.nan_to_num(series, nan=value)}
    for fields, options in expand(properties["metrics"]):
        if "expression" in options and options["expression"].startswith("SEARCH"):
            graphed += _search(options["expression"], values)
            continue
        if "expression" in options:
            with np.errstate(divide="ignore", invalid="ignore"):
                series = eval(options["expression"], {"__builtins__": {}}, by_id)
        else:
            dimensions = dict(zip(fields[2::2], fields[3::2], strict=True))
            metric = make_metric(fields[0], fields[1], **dimensions)
            name = options.get("stat") or properties["stat"]
            series = statistic(values.get(metric, []), name, properties["period"])
        by_id[options.get("id", "")] = series
        if options.get("visible", True):
            label = options.get("label") or fields[-1]
            is_right = options.get("yAxis") == "right"
            graphed.append(Graphed(label, series, is_right, options.get("color")))
    return graphed


def _search(expression: str, values: Values) -> list[Graphed]:
    match = _SEARCH.fullmatch(expression)
    assert match is not None, expression
    namespace, *names = match[1].split(",")
    terms = dict(_TERM.findall(match[2]))
    name = terms.pop("MetricName")
    found = []
    for metric, numbers in values.items():
        dimensions = dict(metric.dimensions)
        is_named = (metric.namespace, metric.name) == (namespace, name)
        if is_named and set(dimensions) == set(names) and terms.items() <= dimensions.items():
            label = ", ".join(dimensions[key] for key in names if key not in terms)
            series = statistic(numbers, match[3], int(match[4]))
            found.append(Graphed(label, series, False, None))
    return sorted(found, key=lambda graphed: graphed.label)
