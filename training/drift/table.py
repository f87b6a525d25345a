"""The table of what was compared, for the terminal and the report."""

from __future__ import annotations

from textwrap import shorten

from training.drift.comparison import Compared
from training.drift.logs import Sum

HEADERS = [
    "",
    "PSI",
    "JS distance",
    "training rows",
    "served rows",
    "drift index",
    "verdict",
]


def by_index(compared: list[Compared]) -> list[Compared]:
    """Return what was compared, the largest drift index first."""
    return sorted(compared, key=lambda each: -(each.drift_index or 0.0))


def describe_sum(total: Sum) -> str:
    """Return how many rows were counted, as a sentence."""
    summaries = "1 summary" if total.windows == 1 else f"{total.windows:,} summaries"
    return (
        f"{total.rows:,} rows of {total.requests:,} requests; {total.counted:,} of them were "
        f"counted, in {summaries}."
    )


def row_of(each: Compared) -> list[str]:
    """Return the cells of a feature, or of the predictions, in a table with `HEADERS`."""
    return [
        shorten(each.name, 40, placeholder="…"),
        f"{each.psi:.3f}",
        f"{each.js_distance:.3f}",
        f"{sum(each.training):,}",
        f"{each.rows:,}",
        "" if each.drift_index is None else f"{each.drift_index:.2f}",
        each.verdict,
    ]
