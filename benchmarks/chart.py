"""The results as a chart."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot

from benchmarks.results import Results
from benchmarks.targets import MB, amount

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HIGHLIGHT, NEUTRAL, TEXT, FAINT = "#8c1d40", "#c9c3bc", "#2b2b2b", "#6f6a65"
TIMES = "\N{MULTIPLICATION SIGN}"


class Panel(NamedTuple):
    """One chart: a bar for each service."""

    title: str
    values: list[list[float]]  # of each service, one value for each run
    ratios: list[float] | None = None  # median ratio of each service to the first one


def draw(results: Results, path: Path) -> None:
    """Draw the results to a PNG."""
    services = results.packages.services
    panels = _panels(results)
    figure, grid = pyplot.subplots(2, 2, figsize=(9.6, 6.6), sharey=True, facecolor="white")
    for axis, panel in zip(grid.flat, panels, strict=True):
        _draw_bars(axis, panel)
    grid[0, 0].set_yticks(range(len(services)), [package.name for package in services])
    grid[0, 0].invert_yaxis()
    for axis in grid[:, 0]:
        axis.get_yticklabels()[-1].set(color=HIGHLIGHT, fontweight="bold")
    figure.text(
        0.99, 0.015,
        f"Medians and ranges of {len(results.runs)} runs on the Lambda runtime emulator; in "
        "brackets: times hello world's. Shorter is better.",
        ha="right", fontsize=8, color=FAINT,
    )  # fmt: skip
    figure.tight_layout(rect=(0, 0.05, 1, 1), w_pad=2, h_pad=1.5)
    figure.savefig(path, dpi=200)
    pyplot.close(figure)


def _panels(results: Results) -> list[Panel]:
    services = results.packages.services
    cold = [results.cold(package) for package in services]
    warm = [results.warm(package) for package in services]
    return [
        Panel(
            "cold start, ms",
            [[1000 * value for value in compared.measured] for compared in cold],
            ratios=[statistics.median(compared.ratios) for compared in cold],
        ),
        Panel(
            "warm request, ms",
            [[1000 * value for value in compared.measured] for compared in warm],
            ratios=[statistics.median(compared.ratios) for compared in warm],
        ),
        Panel("peak memory, MB", [[results.peak_memory(service) / MB] for service in services]),
        Panel("package, MB zipped", [[service.size.zipped / MB] for service in services]),
    ]


def _draw_bars(axis: Axes, panel: Panel) -> None:
    rows = range(len(panel.values))
    medians = [statistics.median(values) for values in panel.values]
    widest = max(max(values) for values in panel.values)
    axis.barh(rows, medians, height=0.62, color=[NEUTRAL] * (len(rows) - 1) + [HIGHLIGHT])
    for row, (median, values) in enumerate(zip(medians, panel.values, strict=True)):
        if len(values) > 1:
            axis.plot([min(values), max(values)], [row, row], color=TEXT, linewidth=1.2, marker="|")
        is_last = row == len(rows) - 1  # this project
        axis.text(
            max(values) + 0.03 * widest, row, _label(panel, row, median),
            va="center", fontsize=9,
            color=HIGHLIGHT if is_last else TEXT, fontweight="bold" if is_last else "normal",
        )  # fmt: skip
    axis.set_title(panel.title, fontsize=10, loc="left", color=TEXT)
    axis.set_xlim(0, 1.6 * widest)
    axis.xaxis.set_visible(False)
    axis.tick_params(axis="y", length=0, labelsize=9.5, labelcolor=TEXT)
    axis.spines[["top", "right", "bottom"]].set_visible(False)
    axis.spines["left"].set_color(FAINT)


def _label(panel: Panel, row: int, median: float) -> str:
    label = amount(median)
    if panel.ratios is None or row == 0:
        return label
    ratio = panel.ratios[row]
    return f"{label}  ({ratio:.{0 if ratio >= 10 else 2}f}{TIMES})"
