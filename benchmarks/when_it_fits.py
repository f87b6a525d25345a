"""When serverless fits: the requests a month from which what always runs is cheaper."""

from __future__ import annotations

import statistics
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot
from tabulate import tabulate

from benchmarks.prices import (
    COLD_SHARE,
    HOURS_A_MONTH,
    READ_ON,
    USD_BY_FRONT_DOOR,
    USD_PER_ENDPOINT_HOUR,
    usd_of_containers,
    usd_per_million,
)
from benchmarks.results import ModelSize, Results
from benchmarks.targets import MB

SECONDS_A_MONTH = HOURS_A_MONTH * 3600
ALWAYS_ON = {
    "container": usd_of_containers(tasks=1, processors=0.25, memory_gb=0.5),
    "two containers": usd_of_containers(tasks=2, processors=0.25, memory_gb=0.5),
    "SageMaker endpoint": HOURS_A_MONTH * USD_PER_ENDPOINT_HOUR,
}
MEMORY_MB = (512, 1_769)
COLOURS = {"function URL": "#8c1d40", "HTTP API": "#c2607f", "REST API": "#6f6a65"}

PAGE = """\
# When serverless fits

Written by `make bench`. A function costs nothing while nobody asks, and by the request otherwise.
What always runs costs the same every month. Below are the requests a month, evenly spread,
at which both cost the same: with fewer, the function is cheaper.

![What a month costs by the number of requests](when-it-fits.png)

{table}

- Function: this project with a network of that size and one sample a request, the medians of this
  run, {cold_share:.0%} cold starts, and what its front door takes. Logs are left out: what always
  runs has them too.
- Container: {containers}. One task of Fargate with a quarter of a processor and 0.5 GB, behind a
  load balancer. Two tasks in two zones are {two_containers}; a function needs nothing for that.
- SageMaker endpoint: {endpoint}, one ml.t3.medium.
- The prices are those of US East (N. Virginia) on {read_on}, with their sources in
  `benchmarks/prices.py`: check them before you rely on the figures.

A container answers {capacity:,.0f} such requests a month if it is busy all the time, with a
processor as fast as this run's: from there on it takes more of them. Functions are added without
anybody's doing.

Other reasons decide sooner than the price. What always runs is for a model of more than a
gigabyte, or for answers that are never later than some milliseconds: a cold start takes
{cold_ms:,.0f} ms here.
"""


def write_page(results: Results, folder: Path) -> None:
    """Write the page and its chart to a folder."""
    largest = max(results.by_model_size)
    smallest = results.by_model_size[min(results.by_model_size)]
    page = PAGE.format(
        table=_table(results),
        cold_share=COLD_SHARE,
        containers=_usd(ALWAYS_ON["container"]),
        two_containers=_usd(ALWAYS_ON["two containers"]),
        endpoint=_usd(ALWAYS_ON["SageMaker endpoint"]),
        read_on=READ_ON,
        capacity=0.25 * SECONDS_A_MONTH / statistics.median(smallest.warm),
        cold_ms=1000 * statistics.median(results.by_model_size[largest].cold.measured),
    )
    (folder / "when-it-fits.md").write_text(page)
    _draw(smallest, results.memory_mb, folder / "when-it-fits.png")


def break_even(usd_a_month: float, usd_a_million: float) -> float:
    """Return the requests a month that cost as much as something that always runs."""
    return usd_a_month / usd_a_million * 1e6


def _function_usd(model: ModelSize, memory_mb: int, door: str) -> float:
    """Return what a million requests cost, with the front door."""
    seconds = statistics.median(model.cold.measured), statistics.median(model.warm)
    return usd_per_million(*seconds, memory_mb) + USD_BY_FRONT_DOOR[door]


def _table(results: Results) -> str:
    headers = ["model, MB", "memory, MB", "front door", "$ a million"]
    headers += [f"requests a month: {name}" for name in ALWAYS_ON]
    rows = []
    for size, model in results.by_model_size.items():
        for memory_mb in MEMORY_MB:
            for door in USD_BY_FRONT_DOOR:
                usd = _function_usd(model, memory_mb, door)
                counts = [break_even(fixed, usd) for fixed in ALWAYS_ON.values()]
                cells = [_millions(count) for count in counts]
                rows.append([f"{size / MB:.2f}", f"{memory_mb:,}", door, f"{usd:.2f}", *cells])
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def _millions(count: float) -> str:
    """Show requests a month, and on average a second."""
    return f"{count / 1e6:,.1f} million ({count / SECONDS_A_MONTH:,.1f} a second)"


def _usd(amount: float) -> str:
    return f"{amount:.2f} $ a month"


def _draw(model: ModelSize, memory_mb: int, path: Path) -> None:
    counts = [10 ** (exponent / 10) for exponent in range(40, 91)]
    figure, axis = pyplot.subplots(figsize=(8, 4.2))
    for door, colour in COLOURS.items():
        usd = _function_usd(model, memory_mb, door)
        axis.plot(counts, [usd * n / 1e6 for n in counts], color=colour, label=f"function: {door}")
    for (name, usd), style in zip(ALWAYS_ON.items(), ("-", "--", ":"), strict=True):
        axis.axhline(usd, color="#2b2b2b", linestyle=style, linewidth=1, label=name)
    axis.set(xscale="log", yscale="log", xlabel="requests a month", ylabel="$ a month")
    axis.set(xlim=(counts[0], counts[-1]), ylim=(0.01, 1_000))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=160)
    pyplot.close(figure)
