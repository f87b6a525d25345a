"""The results as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping

from tabulate import tabulate

from benchmarks.packages import Package, Packages
from benchmarks.prices import USD_BY_FRONT_DOOR, USD_PER_METRIC, usd_of_log
from benchmarks.results import Compared, FileScoring, InProcess, LogCost, Results
from benchmarks.targets import MB, amount, spread, targets, usd_of_requests
from deployment.target import UNZIPPED_BYTES

BATCH = 10_000


def main_table(results: Results) -> str:
    """Compare the services."""
    headers = ["", "cold start, ms", "ratio", "warm request, ms", "ratio", "peak memory, MB"]
    headers += ["zip, MB", "unzipped, MB", "$ a million", "with its front door"]
    rows = [_service_row(results, package) for package in results.packages.services]
    return _table(headers, rows)


def _service_row(results: Results, package: Package) -> list[str]:
    cold, warm = results.cold(package), results.warm(package)
    usd = usd_of_requests(results, package)
    is_baseline = package is results.packages.hello
    return [
        f"**{package.name}**" if package is results.packages.this_project else package.name,
        _milliseconds(cold.measured, 0),
        "1" if is_baseline else spread(cold.ratios),
        _milliseconds(warm.measured),
        "1" if is_baseline else spread(warm.ratios),
        amount(results.peak_memory(package) / MB),
        amount(package.size.zipped / MB),
        amount(package.size.unzipped / MB),
        f"{usd:.2f}",
        _with_front_door(usd, results.packages, package),
    ]


def _with_front_door(usd: float, packages: Packages, package: Package) -> str:
    """Show the charge for a million requests with the cheapest front door that a service has."""
    has_rest_api_only = package in (packages.hello, packages.tutorial)  # Chalice's own
    door = "REST API" if has_rest_api_only else "function URL"
    return f"{usd + USD_BY_FRONT_DOOR[door]:.2f} ({door})"


def images_sentence(packages: Packages) -> str:
    """Name the services that are too large for a zip; empty if there are none."""
    large = [each.name for each in packages if each.size.unzipped > UNZIPPED_BYTES]
    if not large:
        return ""
    limit = f"{UNZIPPED_BYTES / MB:.0f} MB"
    return f"\nOver the {limit} that Lambda unzips, so that an image is needed: {', '.join(large)}."


def targets_table(results: Results) -> str:
    """List the targets and whether they are met."""
    rows = [
        [target, measured, "yes" if met else "**no**"] for target, measured, met in targets(results)
    ]
    return _table(["target", "measured", "met"], rows)


def one_row_table(results: Results) -> str:
    """Compare one sample with a parse-only route, on the emulator and in one process."""
    methods = {"on the emulator": results.one_row, "in one process": results.in_process.one}
    rows = [
        [
            method,
            _milliseconds(compared.measured, 3),
            _milliseconds(compared.baseline, 3),
            spread(compared.ratios),
        ]
        for method, compared in methods.items()
    ]
    return _table(["", "this project, ms", "parse-only route, ms", "ratio"], rows)


def throughput_table(results: Results) -> str:
    """Show the samples classified in a second, by batch size."""
    one_by_one = results.throughput[min(results.throughput)]
    rows = [
        [f"{size:,}", spread(rates, 0), spread(Compared(rates, one_by_one).ratios, 0)]
        for size, rates in results.throughput.items()
    ]
    return _table(["samples", "samples a second", "ratio to one by one"], rows)


def file_scoring_table(scoring: Mapping[str, FileScoring]) -> str:
    """Compare scoring a file with pandas and scikit-learn, by model."""
    headers = ["", "rows a second", "pandas and scikit-learn", "ratio", "ratio of processes"]
    headers += ["memory, MB", "with half of the rows, MB", "pandas, MB"]
    rows = [
        [
            name,
            spread([each.rows / seconds for seconds in each.seconds.measured], 0),
            spread([each.rows / seconds for seconds in each.seconds.baseline], 0),
            spread(each.speedups),
            spread(each.process_speedups),
            *(amount(size / MB) for size in (each.memory, each.memory_of_half, each.pandas_memory)),
        ]
        for name, each in scoring.items()
    ]
    return _table(headers, rows)


def model_size_table(results: Results) -> str:
    """Show the cold start by model size."""
    rows = [
        [f"{size / MB:.2f}", _milliseconds(compared.measured, 0), spread(compared.ratios)]
        for size, (compared, _) in results.by_model_size.items()
    ]
    return _table(["model, MB", "cold start, ms", "ratio to hello world"], rows)


def in_process_table(results: InProcess) -> str:
    """Show the results of `benchmarks.in_process`."""
    one = _baseline_table(results.one, "one sample", "a parse-only route")
    return "\n\n".join([one, batch_table(results), columns_table(results), bytes_table(results)])


def batch_table(results: InProcess) -> str:
    """Compare a batch with minimal work."""
    return _baseline_table(results.batch, f"{BATCH:,} samples", "minimal work")


def columns_table(results: InProcess) -> str:
    """Compare batches that arrive as columns with the minimal work for each."""
    rows = [
        [
            name,
            _milliseconds(each.measured, 3),
            _milliseconds(each.baseline, 3),
            spread(each.ratios),
        ]
        for name, each in results.columns.items()
    ]
    return _table([f"{BATCH:,} samples", "ms", "minimal work, ms", "ratio"], rows)


def bytes_table(results: InProcess) -> str:
    """Compare a batch as bytes with the same in JSON, and with minimal work."""
    as_bytes = f"{BATCH:,} samples as bytes"
    in_json = _baseline_table(results.bytes_and_json, as_bytes, "the same in JSON")
    minimal = _baseline_table(results.bytes_and_baseline, as_bytes, "minimal work")
    return f"{in_json}\n\n{minimal}"


def log_time_table(cost: LogCost) -> str:
    """Compare requests by the settings of the log, in one process."""
    rows = [
        [
            name,
            _milliseconds(cost.one[name], 3),
            spread(Compared(cost.one[name], cost.one["no log"]).ratios),
            _milliseconds(cost.batch[name], 1),
            spread(Compared(cost.batch[name], cost.batch["no log"]).ratios),
        ]
        for name in cost.one
    ]
    return _table(["", "one sample, ms", "ratio", f"{BATCH:,} samples, ms", "ratio"], rows)


def log_size_table(cost: LogCost) -> str:
    """Show what requests write to the log, and what CloudWatch takes for it."""
    rows = [
        [name, f"{size:,.0f}", f"{size * 1e6 / MB:,.0f}", f"{usd_of_log(size * 1e6):.2f}"]
        for name, size in cost.bytes_by_request.items()
    ]
    return _table(["", "bytes", "MB a million", "$ a million"], rows)


def metrics_sentence(metrics: int) -> str:
    """Return the cost of a model's metrics in a sentence."""
    usd = metrics * USD_PER_METRIC
    return f"A model with 3 classes has at most {metrics} metrics: {usd:.2f} $ a month."


def _baseline_table(compared: Compared, measured: str, baseline: str) -> str:
    rows = [
        [measured, _milliseconds(compared.measured, 3), spread(compared.ratios)],
        [baseline, _milliseconds(compared.baseline, 3), "1"],
    ]
    return _table(["", "ms", "ratio"], rows)


def _milliseconds(seconds: list[float], digits: int = 2) -> str:
    return spread([1000 * value for value in seconds], digits)


def _table(headers: list[str], rows: list[list[str]]) -> str:
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)
