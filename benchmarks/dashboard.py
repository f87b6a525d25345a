"""Draw the dashboard of a stack with the metrics of a simulated day.

`python -m benchmarks.dashboard` sends the requests of a day through the app, reads the metrics from
its log as CloudWatch does, and draws the widgets of `.chalice/dashboard.json`.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot

from benchmarks.cloudwatch import Values, graph, make_metric, read_metrics, statistic
from benchmarks.day import DAY_SECONDS, HOUR, Line, simulate
from benchmarks.docs import DOCS
from deployment.sam_template import read_overlay

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STACK = "wine"
CHALICE = DOCS.parent / "wine-classifier" / ".chalice"
PICTURE = DOCS / "dashboard.png"

LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")  # in Markdown
COLUMNS = 24  # of a dashboard
INCHES_PER_COLUMN, INCHES_PER_ROW = 0.62, 0.44
TEXT, FAINT, GOOD, BAD = "#16191f", "#687078", "#1d8102", "#d13212"
COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f")


def main() -> None:
    """Simulate, draw and print what was drawn."""
    parser = argparse.ArgumentParser(description="Draw the dashboard with a simulated day.")
    parser.add_argument("--out", type=Path, default=PICTURE, help="the PNG file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = simulate(Path(folder, "wine").as_uri())
    values = read_metrics(lines, STACK)
    draw(values, lines, options.out)
    print(f"Wrote {options.out}: {len(lines):,} lines of log, {len(values)} metrics")


def read_widgets() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the widgets of the template, and the properties of its alarms by name."""
    resources = read_overlay(CHALICE, "prod")["Resources"]
    body = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body.replace("${AWS::StackName}", STACK))["widgets"]
    alarms = {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource.get("Type") == "AWS::CloudWatch::Alarm"
    }
    return widgets, alarms


def draw(values: Values, lines: list[Line], path: Path) -> None:
    """Draw all widgets to a PNG."""
    widgets, alarms = read_widgets()
    rows = max(widget["y"] + widget["height"] for widget in widgets)
    size = (COLUMNS * INCHES_PER_COLUMN, rows * INCHES_PER_ROW)
    figure = pyplot.figure(figsize=size, facecolor="white")
    for widget in widgets:
        left, width = widget["x"] / COLUMNS, widget["width"] / COLUMNS
        bottom, height = 1 - (widget["y"] + widget["height"]) / rows, widget["height"] / rows
        inset = (0.034, 0.022) if widget["type"] == "metric" else (0.008, 0.004)
        box = (
            left + inset[0],
            bottom + inset[1],
            width - 2 * inset[0],
            height - inset[1] - 1.15 / rows,
        )
        axis = figure.add_axes(box if widget["type"] != "text" else (left, bottom, width, height))
        properties = widget["properties"]
        if widget["type"] == "metric":
            _draw_metrics(axis, properties, values)
            continue
        axis.axis("off")
        if widget["type"] == "text":
            title, _, links = properties["markdown"].partition("\n")
            axis.text(0.008, 0.55, title.lstrip("# "), fontsize=15, weight="bold", color=TEXT)
            axis.text(0.008, 0.2, LINK.sub(r"\1", links), fontsize=9, color="#0972d3")
            continue
        if widget["type"] == "alarm":
            _draw_alarms(axis, properties["alarms"], alarms, values)
        else:
            _draw_table(axis, TABLES[properties["title"]](lines))
        axis.set_title(properties["title"], fontsize=9.5, loc="left", color=TEXT, weight="bold")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _draw_metrics(axis: Axes, properties: dict[str, Any], values: Values) -> None:
    graphed = graph(properties, values)
    axis.set_title(properties["title"], fontsize=9.5, loc="left", color=TEXT, weight="bold")
    handles: list[Any] = []
    right = axis.twinx() if any(line.is_right for line in graphed) else None
    base = np.zeros(0)
    for index, line in enumerate(graphed):
        color = line.color or COLORS[index % len(COLORS)]
        hours = (np.arange(len(line.values)) + 0.5) * 24 / len(line.values)
        if properties["stacked"]:
            base = base if base.size else np.zeros(len(line.values))
            top = base + np.nan_to_num(line.values)
            handles.append(axis.fill_between(hours, base, top, color=color, alpha=0.75, lw=0))
            base = top
        else:
            where = right if line.is_right and right is not None else axis
            handles += where.plot(hours, line.values, color=color, lw=1.1, marker=".", ms=2.2)
    for annotation in properties.get("annotations", {}).get("horizontal", []):
        axis.axhline(annotation["value"], color=annotation["color"], lw=1, ls="--")
        axis.text(
            23.8, annotation["value"], annotation["label"], fontsize=7, ha="right", va="bottom"
        )
    for side, name in ((axis, "left"), (right, "right")):
        if side is not None:
            side.set_ylim(0, 1.25 * side.get_ylim()[1])
            label = properties["yAxis"].get(name, {}).get("label", "")
            side.set_ylabel(label, fontsize=7.5, color=FAINT)
            side.tick_params(labelsize=7, colors=FAINT)
            side.spines[["top"]].set_visible(False)
    axis.set_xlim(0, 24)
    axis.set_xticks(range(0, 25, 4), [f"{hour:02}:00" for hour in range(0, 25, 4)])
    axis.grid(axis="y", lw=0.4, color="#e3e6e8")
    labels = [line.label for line in graphed]
    axis.legend(handles, labels, fontsize=6.8, ncols=3, loc="upper left", framealpha=0.6)


def _draw_alarms(
    axis: Axes, arns: list[str], alarms: dict[str, dict[str, Any]], values: Values
) -> None:
    names = [arn.removeprefix("${").removesuffix(".Arn}") for arn in arns]
    for index, name in enumerate(names):
        is_bad = is_in_alarm(alarms[name], values)
        axis.text(
            (index + 0.5) / len(names), 0.5, f"{name}: {'In alarm' if is_bad else 'OK'}",
            color="white", fontsize=9, ha="center", va="center",
            bbox={"boxstyle": "square,pad=0.7", "color": BAD if is_bad else GOOD},
        )  # fmt: skip


def is_in_alarm(alarm: dict[str, Any], values: Values) -> bool:
    """Return the state of an alarm at the end of the day."""
    text = json.dumps([alarm["Namespace"], alarm.get("Dimensions", [])])
    namespace, listed = json.loads(
        text.replace('{"Fn::Sub": "${AWS::StackName}"}', f'"{STACK}"')
        .replace('{"Ref": "AWS::StackName"}', f'"{STACK}"')
        .replace('{"Ref": "APIHandler"}', f'"{STACK}"')
    )
    dimensions = {each["Name"]: each["Value"] for each in listed}
    name = alarm.get("Statistic") or alarm["ExtendedStatistic"]
    numbers = values.get(make_metric(namespace, alarm["MetricName"], **dimensions), [])
    series = statistic(numbers, name, alarm["Period"])
    if alarm["TreatMissingData"] == "ignore":
        series = series[~np.isnan(series)]
    threshold = alarm["Threshold"]
    limit = 1000.0 if isinstance(threshold, dict) else float(threshold)  # a parameter's default
    recent = np.nan_to_num(series[-alarm["EvaluationPeriods"] :], nan=-1.0)
    is_strict = alarm["ComparisonOperator"] == "GreaterThanThreshold"
    breaching = recent > limit if is_strict else recent >= limit
    return bool(breaching.sum() >= alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]))


def _draw_table(axis: Axes, table: list[list[str]]) -> None:
    drawn = axis.table(table[1:], colLabels=table[0], loc="upper left", cellLoc="left")
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(7.5)
    drawn.auto_set_column_width(range(len(table[0])))
    for cell in drawn.get_celld().values():
        cell.set(linewidth=0.3, edgecolor="#d5dbdb")


def _versions(lines: list[Line]) -> list[list[str]]:
    loads: dict[str, list[float]] = {}
    for at, text in lines:
        line = json.loads(text)
        if line["event"] == "model loaded":
            loads.setdefault(line["version"], []).append(at)
    # A simulated model was created when it was loaded first.
    rows = [
        [
            version,
            f"{(DAY_SECONDS - times[0]) / DAY_SECONDS:.2f}",
            _clock(times[-1]),
            str(len(times)),
        ]
        for version, times in loads.items()
    ]
    return [["version", "age_days", "loaded", "loads"], *reversed(rows)]


def _clock(seconds: float) -> str:
    return f"{int(seconds // HOUR):02}:{int(seconds % HOUR // 60):02}"


def _errors(lines: list[Line]) -> list[list[str]]:
    counts: Counter[tuple[str, ...]] = Counter()
    for _, text in lines:
        line = json.loads(text)
        if line["event"] == "request" and line["status"] >= 400:
            problem = (line.get("problems") or [""])[0]
            counts[line["route"], str(line["status"]), line["kind"], problem] += 1
    rows = [[*key, str(count)] for key, count in counts.most_common()]
    return [["route", "status", "kind", "problems.0", "requests"], *rows]


# What CloudWatch Logs Insights computes for the two queries, by the titles of their widgets.
TABLES = {
    "Versions served: created, age in days, loaded last": _versions,
    "Requests with an error": _errors,
}


if __name__ == "__main__":
    main()
