"""The function that scores files: what was measured, and a billion rows on paper."""

from __future__ import annotations

import statistics
from math import sqrt

from tabulate import tabulate

from benchmarks.prices import MB_OF_ONE_PROCESSOR, usd_of_range
from benchmarks.results import BulkResults, BulkScoring
from benchmarks.targets import MB, spread
from chalicelib.bulk.settings import RANGE_BYTES

MEMORIES = (512, MB_OF_ONE_PROCESSOR)
BILLION = 1_000_000_000

# Lambda begins with 5 calls at once for a queue, and adds up to 300 a minute; a maximum concurrency
# may be 2 to 1,000:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
FIRST_CALLS = 5
CALLS_A_SECOND = 300 / 60
# 50 is the stack's default; 1,000 an account's default quota, and the largest maximum concurrency:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
CONCURRENCIES = (50, 1_000)


def bulk_table(results: BulkResults) -> str:
    """Show rows a second of one function by its memory, and rows a dollar."""
    headers = ["", *(f"rows a second, {memory:,} MB" for memory in MEMORIES)]
    headers += [f"rows a dollar, {memory:,} MB" for memory in MEMORIES]
    rows = [
        [
            name,
            *(spread([_at(rate, m) for rate in each.rows_a_second], 0) for m in MEMORIES),
            *(f"{_rows_a_dollar(each, memory):,.0f} million" for memory in MEMORIES),
        ]
        for name, each in results.scoring.items()
    ]
    return _table(headers, rows)


def splitting_sentence(results: BulkResults) -> str:
    """Return how fast a file is split."""
    plain, quoted = (spread([r / MB for r in rates], 0) for rates in results[1:])
    return (
        f"One processor finds where rows end in {plain} MB a second, {quoted} of a file with "
        "quotes."
    )


def scale_table(results: BulkResults) -> str:
    """Show a billion rows on paper, by model and concurrency."""
    headers = ["a billion rows", "ranges", "hours of a processor", "dollars"]
    headers += [f"minutes, {concurrency:,} at once" for concurrency in CONCURRENCIES]
    rows = []
    for name, each in results.scoring.items():
        rate = statistics.median(each.rows_a_second)
        seconds = BILLION / rate
        rows.append(
            [
                name,
                f"{BILLION * each.row_bytes / RANGE_BYTES:,.0f}",
                f"{seconds / 3600:.1f}",
                f"{BILLION / _rows_a_dollar(each, MB_OF_ONE_PROCESSOR) / 1e6:.2f}",
                *(f"{wait(seconds, most) / 60:.1f}" for most in CONCURRENCIES),
            ]
        )
    return _table(headers, rows)


def wait(work: float, most: int) -> float:
    """Return the seconds in which functions that Lambda adds do so many seconds of work.

    With c(t) = min(most, 5 + 5 t) functions after t seconds, the integral of c is the work.
    """
    ramp = (most - FIRST_CALLS) / CALLS_A_SECOND
    done = FIRST_CALLS * ramp + CALLS_A_SECOND * ramp**2 / 2
    if work >= done:
        return ramp + (work - done) / most
    return (sqrt(FIRST_CALLS**2 + 2 * CALLS_A_SECOND * work) - FIRST_CALLS) / CALLS_A_SECOND


def _at(rate: float, memory_mb: int) -> float:
    """Return the rate of a function whose memory gives it a share of a processor."""
    return rate * min(1.0, memory_mb / MB_OF_ONE_PROCESSOR)


def _rows_a_dollar(each: BulkScoring, memory_mb: int) -> float:
    """Return millions of rows."""
    rows = RANGE_BYTES / each.row_bytes
    seconds = rows / statistics.median(each.rows_a_second)
    return rows / usd_of_range(seconds, RANGE_BYTES, memory_mb) / 1e6


def _table(headers: list[str], rows: list[list[str]]) -> str:
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)
