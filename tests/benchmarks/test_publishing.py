"""The page about publishing at scale, from made-up measurements and a small case."""

from __future__ import annotations

import pytest

from benchmarks.publishing import Measured, measure, report
from benchmarks.publishing_cases import CASES
from benchmarks.served_model import ServedModel


def measured(publish_seconds: float, memory_mb: float) -> Measured:
    """Return the measurements of a case whose estimator predicts in two seconds."""
    served = ServedModel(0.1, one_row_ms=9.0, idle_mb=60.0, peak_mb=80.0)
    return Measured(2.0, publish_seconds, memory_mb, "onnx float64", 2_000, 1_000, served)


@pytest.mark.parametrize(
    ("publish_seconds", "memory_mb", "met"),
    [
        (16.0, 1_000.0, ["yes", "yes"]),
        (16.1, 900.0, ["**no**", "yes"]),
        (9.0, 1_001, ["yes", "**no**"]),
    ],
)
def test_says_which_targets_are_met(
    publish_seconds: float, memory_mb: float, met: list[str]
) -> None:
    """Three times the estimator's own prediction and ten seconds, and 1 GB."""
    page = report({"svc": measured(publish_seconds, memory_mb)}, (0.0, 2.0))
    [row, _] = [line for line in page.splitlines() if line.startswith("| SVC")]
    cells = [cell.strip() for cell in row.split("|")]
    assert [cells[5], cells[7]] == met


def test_a_small_share_of_a_case_is_measured_like_the_whole() -> None:
    """It is fitted, predicted and published."""
    result = measure(CASES["mixed"], scale=0.01)
    assert result.strategy == "onnx float64"
    assert 0 < result.table_rows < result.compared
    assert result.publish_seconds > 0
