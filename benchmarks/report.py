"""What was measured, as a table and as a picture."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Measured
from benchmarks.packages import Package
from benchmarks.prices import COLD_SHARE, DATE, USD_PER_MILLION_API_REQUESTS, usd_per_million

OURS = "#7b1e3a"
OTHERS = "#b9b2ac"


class Results(NamedTuple):
    """All that one run of the benchmark has measured.

    Parameters
    ----------
    packages : list of Package
        Ours last, what the others are compared with first.
    measured : dict of str to Measured
        By the name of the package.
    throughput : dict of int to float
        Samples in a second, by the size of the batch.
    cold_by_size : dict of int to list of float
        Seconds until the first answer, by the model's size in bytes.
    machine : str
        What it was measured on.
    """

    packages: list[Package]
    measured: dict[str, Measured]
    throughput: dict[int, float]
    cold_by_size: dict[int, list[float]]
    machine: str


def table(results: Results) -> str:
    """Write the results as Markdown.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
    """
    base = results.measured[results.packages[0].name]
    lines = [
        f"Measured by `make bench` on {results.machine}: {len(base.cold)} runs of each, in turns;"
        " medians, and in brackets the least and the most. The ratios count, not the times.",
        "",
        "| | cold start | ratio | warm request | ratio | peak memory | zip | unzipped |"
        " $ per million |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for package in results.packages:
        found = results.measured[package.name]
        cold, warm = statistics.median(found.cold), statistics.median(found.warm)
        lines.append(
            f"| {package.name} | {_spread(found.cold, 0)} "
            f"| {cold / statistics.median(base.cold):.2f} "
            f"| {_spread(found.warm, 2)} | {warm / statistics.median(base.warm):.2f} "
            f"| {max(found.memory) / 1e6:.0f} MB | {package.size.zipped / 1e6:.1f} MB "
            f"| {package.size.unzipped / 1e6:.0f} MB | {usd_per_million(cold, warm):.2f} |"
        )
    tutorial = statistics.median(results.measured[results.packages[1].name].cold)
    ours = statistics.median(results.measured[results.packages[-1].name].cold)
    lines += [
        "",
        f"Cold start against the tutorial's handler: {tutorial / ours:.1f} times faster. Dollars "
        f"are Lambda's own, estimated from these times with {COLD_SHARE:.0%} cold starts and "
        f"AWS's prices of {DATE} (`benchmarks/prices.py`); API Gateway's "
        f"{USD_PER_MILLION_API_REQUESTS:.2f} come to them.",
        "",
        "| samples in a request | " + " | ".join(f"{n:,}" for n in results.throughput) + " |",
        "| --- |" + " --- |" * len(results.throughput),
        "| samples in a second | "
        + " | ".join(f"{rate:,.0f}" for rate in results.throughput.values())
        + " |",
        "",
        "| model | " + " | ".join(f"{n / 1e6:.2f} MB" for n in results.cold_by_size) + " |",
        "| --- |" + " --- |" * len(results.cold_by_size),
        "| cold start | " + " | ".join(_spread(v, 0) for v in results.cold_by_size.values()) + " |",
    ]
    return "\n".join(lines) + "\n"


def _spread(values: list[float], digits: int) -> str:
    least, median, most = (
        f"{1e3 * value:,.{digits}f}"
        for value in (min(values), statistics.median(values), max(values))
    )
    return f"{median} ms ({least} to {most})"


def draw(results: Results, path: Path) -> None:
    """Draw the results.

    Parameters
    ----------
    results : Results
    path : Path
        The PNG to write.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    names = [package.name for package in results.packages]
    found = [results.measured[name] for name in names]
    panels = [
        ("cold start, ms", [[1e3 * value for value in one.cold] for one in found]),
        ("warm request, ms", [[1e3 * value for value in one.warm] for one in found]),
        ("peak memory, MB", [[value / 1e6 for value in one.memory] for one in found]),
        ("package, MB zipped", [[package.size.zipped / 1e6] for package in results.packages]),
    ]
    figure, axes = pyplot.subplots(1, len(panels), figsize=(12, 2.2), sharey=True)
    colors = [OTHERS] * (len(names) - 1) + [OURS]
    for axis, (title, values) in zip(axes, panels, strict=True):
        medians = [statistics.median(one) for one in values]
        least = [median - min(one) for median, one in zip(medians, values, strict=True)]
        most = [max(one) - median for median, one in zip(medians, values, strict=True)]
        axis.barh(names, medians, color=colors, xerr=[least, most], ecolor="#555555", capsize=2)
        for row, (median, one) in enumerate(zip(medians, values, strict=True)):
            text = f" {median:,.1f}" if median < 100 else f" {median:,.0f}"
            axis.text(max(one), row, text, va="center", fontsize=8)
        axis.set_title(title, fontsize=9)
        axis.set_xlim(0, 1.3 * max(max(one) for one in values))
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].invert_yaxis()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
