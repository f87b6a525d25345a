"""What was measured, as tables in Markdown."""

from __future__ import annotations

import statistics

from tabulate import tabulate

from benchmarks.packages import Package
from benchmarks.prices import usd_per_million
from benchmarks.results import Compared, Results
from benchmarks.targets import MB, amount, spread, targets

BATCH = 10_000


def main_table(results: Results) -> str:
    """Compare the services.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
    """
    headers = ["", "cold start, ms", "ratio", "warm request, ms", "ratio", "peak memory, MB"]
    headers += ["zip, MB", "unzipped, MB", "$ a million"]
    return _table(headers, [_service(results, package) for package in results.packages.services])


def _service(results: Results, package: Package) -> list[str]:
    cold, warm = results.cold(package), results.warm(package)
    usd = usd_per_million(
        statistics.median(cold.measured), statistics.median(warm.measured), results.memory_mb
    )
    is_base = package is results.packages.hello
    return [
        f"**{package.name}**" if package is results.packages.ours else package.name,
        _milliseconds(cold.measured, 0),
        "1" if is_base else spread(cold.ratios),
        _milliseconds(warm.measured),
        "1" if is_base else spread(warm.ratios),
        amount(results.peak_memory(package) / MB),
        amount(package.size.zipped / MB),
        amount(package.size.unzipped / MB),
        f"{usd:.2f}",
    ]


def targets_table(results: Results) -> str:
    """Say which targets are met.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
    """
    rows = [
        [what, measured, "yes" if met else "**no**"] for what, measured, met in targets(results)
    ]
    return _table(["target", "measured", "met"], rows)


def one_row_table(results: Results) -> str:
    """Compare one sample with a route that only parses, on the emulator and in one process.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
    """
    compared = {"on the emulator": results.one_row, "in one process": results.one_in_process}
    rows = [
        [
            where,
            _milliseconds(both.measured, 3),
            _milliseconds(both.baseline, 3),
            spread(both.ratios),
        ]
        for where, both in compared.items()
    ]
    return _table(["", "this project, ms", "only parses, ms", "ratio"], rows)


def throughput_table(results: Results) -> str:
    """Tell how many samples are classified in a second.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
    """
    by_one = results.throughput[min(results.throughput)]
    rows = [
        [f"{size:,}", spread(rates, 0), spread(Compared(rates, by_one).ratios, 0)]
        for size, rates in results.throughput.items()
    ]
    return _table(["samples", "samples in a second", "ratio to one by one"], rows)


def model_size_table(results: Results) -> str:
    """Tell how the cold start grows with the model.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
    """
    rows = [
        [f"{size / MB:.2f}", _milliseconds(both.measured, 0), spread(both.ratios)]
        for size, both in results.by_model_size.items()
    ]
    return _table(["model, MB", "cold start, ms", "ratio to hello world"], rows)


def in_process_table(one: Compared, batch: Compared) -> str:
    """Show what was measured in one process.

    Parameters
    ----------
    one, batch : Compared

    Returns
    -------
    str
    """
    return "\n\n".join(
        [
            _beside(one, "one sample", "a route that only parses"),
            batch_table(batch),
        ]
    )


def batch_table(both: Compared) -> str:
    """Compare a batch with the bare work.

    Parameters
    ----------
    both : Compared

    Returns
    -------
    str
    """
    return _beside(both, f"{BATCH:,} samples", "the bare work")


def _beside(both: Compared, measured: str, baseline: str) -> str:
    rows = [
        [measured, _milliseconds(both.measured, 3), spread(both.ratios)],
        [baseline, _milliseconds(both.baseline, 3), "1"],
    ]
    return _table(["", "ms", "ratio"], rows)


def _milliseconds(seconds: list[float], digits: int = 2) -> str:
    return spread([1000 * value for value in seconds], digits)


def _table(headers: list[str], rows: list[list[str]]) -> str:
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)
