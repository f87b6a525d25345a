"""The comparison of scoring a file, with a small one."""

from __future__ import annotations

import pytest

from benchmarks import scoring
from benchmarks.results import Compared, FileScoring
from benchmarks.tables import file_scoring_table
from training.wine.estimators import wine_pipeline


def test_a_small_file_is_scored_in_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same labels, else it is an error."""
    monkeypatch.setattr(scoring, "_estimators", lambda: {"wine": wine_pipeline()})
    result = scoring.compare_scoring(runs=1, rows=1_000)["wine"]
    assert len(result.speedups) == len(result.process_speedups) == 1
    assert min(result.memory, result.memory_of_half, result.pandas_memory) > 1_000_000


def test_a_ratio_is_of_rows_a_second() -> None:
    """The more the better."""
    result = FileScoring(1_000, Compared([1.0], [3.0]), Compared([2.0], [4.0]), 1, 1, 1)
    assert result.speedups == pytest.approx([3])
    assert result.process_speedups == pytest.approx([2])
    cells = [cell.strip() for cell in file_scoring_table({"wine": result}).split("|")]
    assert {"3.00 (3.00 to 3.00)", "2.00 (2.00 to 2.00)"} <= set(cells)
