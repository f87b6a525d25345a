"""The performance targets, and whether the results meet them."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from benchmarks.packages import Package
from benchmarks.prices import USD_BY_FRONT_DOOR, usd_per_million
from benchmarks.results import Results

MB = 1e6  # bytes
MODEL_STARTS = {8: 1.4, 50: 4.0}  # of hello world's start, by the model's size in MB


class Target(NamedTuple):
    """A target and the measurement."""

    description: str
    measured: str
    met: bool


def targets(results: Results) -> list[Target]:
    """Compare the results with the targets, by the median of ratios."""
    package = results.packages.this_project
    return [
        _at_most(1.2, results.cold(package).ratios, "cold start: {} times hello world's"),
        *(_start_target(results, size, limit) for size, limit in MODEL_STARTS.items()),
        _at_least(
            15, results.faster_than_tutorial, "cold start: {} times faster than the tutorial's"
        ),
        _at_most(1, results.cold_and_bare.ratios, "cold start: {} times a bare handler's"),
        _at_most(1.2, results.warm(package).ratios, "warm request: {} times hello world's"),
        _at_most(1, results.warm_and_bare.ratios, "warm request: {} times a bare handler's"),
        _at_most(1.5, results.one_row.ratios, "one row: {} times a parse-only route"),
        _at_most(1.15, results.in_process.batch.ratios, "batch of 10,000: {} times minimal work"),
        *(
            _at_most(1.15, each.ratios, f"columns, {name}: {{}} times minimal work")
            for name, each in results.in_process.columns.items()
        ),
        _at_most(
            0.2, results.in_process.bytes_and_json.ratios, "batch as bytes: {} times that in JSON"
        ),
        _at_most(
            1.5,
            results.in_process.bytes_and_baseline.ratios,
            "batch as bytes: {} times minimal work",
        ),
        _at_most(1.05, results.log_on_emulator.ratios, "log: {} times a warm request without"),
        _at_most(1.1, results.log.compare_batch.ratios, "log: {} times a batch of 10,000 without"),
        *(
            _at_least(3, each.speedups, f"score a file, {name}: {{}} times pandas' rows a second")
            for name, each in results.scoring.items()
        ),
        _dollars(0.30, usd_of_requests(results, package), "function URL"),
        _megabytes(80, results.peak_memory(package), "peak memory"),
        _megabytes(35, package.size.zipped, "zip"),
        _megabytes(100, package.size.unzipped, "unzipped"),
    ]


def usd_of_requests(results: Results, package: Package) -> float:
    """Estimate Lambda's charge for a million requests in US dollars, without a front door."""
    cold, warm = results.cold(package), results.warm(package)
    seconds = statistics.median(cold.measured), statistics.median(warm.measured)
    return usd_per_million(*seconds, results.memory_mb)


def amount(value: float) -> str:
    """Format a number to about three digits: 9.99, 29.6 or 4,516."""
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"


def spread(values: list[float], digits: int = 2) -> str:
    """Format the median, and in brackets the minimum and the maximum."""
    minimum, median, maximum = min(values), statistics.median(values), max(values)
    return f"{median:,.{digits}f} ({minimum:,.{digits}f} to {maximum:,.{digits}f})"


def _at_most(limit: float, ratios: list[float], description: str) -> Target:
    met = statistics.median(ratios) <= limit
    return Target(description.format(f"at most {limit:g}"), spread(ratios), met)


def _start_target(results: Results, megabytes: int, limit: float) -> Target:
    """Compare the cold start with the model whose size is the closest."""
    size = min(results.by_model_size, key=lambda each: abs(each - megabytes * MB))
    description = f"cold start with a model of {amount(size / MB)} MB: {{}} times hello world's"
    return _at_most(limit, results.by_model_size[size].cold.ratios, description)


def _less_than(limit: float, ratios: list[float], description: str) -> Target:
    met = statistics.median(ratios) < limit
    return Target(description.format(f"less than {limit:g}"), spread(ratios), met)


def _at_least(limit: float, ratios: list[float], description: str) -> Target:
    met = statistics.median(ratios) >= limit
    return Target(description.format(f"at least {limit:g}"), spread(ratios, 1), met)


def _dollars(limit: float, usd: float, door: str) -> Target:
    usd += USD_BY_FRONT_DOOR[door]
    description = f"a million requests with a {door}: at most {limit:.2f} $"
    return Target(description, f"{usd:.2f} $", usd <= limit)


def _megabytes(limit: float, size: int, description: str) -> Target:
    met = size <= limit * MB
    return Target(f"{description}: at most {limit:g} MB", f"{amount(size / MB)} MB", met)
