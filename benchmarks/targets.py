"""What this project has set itself to reach, and whether it was."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from benchmarks.results import Results

MB = 1e6  # bytes


class Target(NamedTuple):
    """A target and what was measured.

    Parameters
    ----------
    what : str
        What is to be reached.
    measured : str
        What was.
    met : bool
    """

    what: str
    measured: str
    met: bool


def targets(results: Results) -> list[Target]:
    """Hold the results against the targets; of ratios the median counts.

    Parameters
    ----------
    results : Results

    Returns
    -------
    list of Target
    """
    ours = results.packages.ours
    return [
        _at_most(1.5, results.cold(ours).ratios, "cold start: {} times hello world's"),
        _at_least(
            15, results.faster_than_tutorial, "cold start: {} times faster than the tutorial's"
        ),
        _at_most(1.2, results.warm(ours).ratios, "warm request: {} times hello world's"),
        _at_most(1.5, results.one_row.ratios, "one row: {} times a route that only parses"),
        _less_than(2, results.batch_in_process.ratios, "batch of 10,000: {} times the bare work"),
        _megabytes(80, results.peak_memory(ours), "peak memory"),
        _megabytes(35, ours.size.zipped, "zip"),
        _megabytes(100, ours.size.unzipped, "unzipped"),
    ]


def amount(value: float) -> str:
    """Write a number with three digits, or all that stand before the point.

    Parameters
    ----------
    value : float

    Returns
    -------
    str
    """
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"


def spread(values: list[float], digits: int = 2) -> str:
    """Write the median, and in brackets the least and the most.

    Parameters
    ----------
    values : list of float
    digits : int
        After the point.

    Returns
    -------
    str
    """
    least, median, most = min(values), statistics.median(values), max(values)
    return f"{median:,.{digits}f} ({least:,.{digits}f} to {most:,.{digits}f})"


def _at_most(limit: float, ratios: list[float], what: str) -> Target:
    met = statistics.median(ratios) <= limit
    return Target(what.format(f"at most {limit:g}"), spread(ratios), met)


def _less_than(limit: float, ratios: list[float], what: str) -> Target:
    met = statistics.median(ratios) < limit
    return Target(what.format(f"less than {limit:g}"), spread(ratios), met)


def _at_least(limit: float, ratios: list[float], what: str) -> Target:
    met = statistics.median(ratios) >= limit
    return Target(what.format(f"at least {limit:g}"), spread(ratios, 1), met)


def _megabytes(limit: float, size: int, what: str) -> Target:
    return Target(f"{what}: at most {limit:g} MB", f"{amount(size / MB)} MB", size <= limit * MB)
