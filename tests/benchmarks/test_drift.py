"""The page about drift says what was measured, and a small share is measured like the whole."""

from __future__ import annotations

import numpy as np

from benchmarks.drift import INDEX, UNCERTAIN_ROWS, UNSHIFTED, measure_uncertainty
from benchmarks.drifting import draw_shifted
from tests.support.pages import DOCS, rows, section

PAGE = DOCS / "drift.md"


def test_there_is_no_false_alarm_on_the_page() -> None:
    """In 100 draws, of each size."""
    assert "False alarms in 100 draws" in section(PAGE, "Without drift")
    table = rows(section(PAGE, "Without drift"))
    assert len(table) == len(UNSHIFTED)
    assert [cells[2].strip() for cells in table] == ["0"] * len(UNSHIFTED)


def test_every_shift_is_found_on_the_page() -> None:
    """With 2,000 rows of training, in each of the draws."""
    table = rows(section(PAGE, "With a shift"))
    found = {cells[1].strip(): cells[2].strip() for cells in table if cells[0].startswith("2,000")}
    shifts = draw_shifted(10, np.random.default_rng(0))
    assert found == dict.fromkeys(shifts, "20")


def test_a_larger_table_of_training_finds_more() -> None:
    """As it is measured for the page."""
    header, _, *lines = measure_uncertainty(20).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in [header, *lines]]
    column = cells[0].index(INDEX)
    shares = [int(line[column].removesuffix(" %")) for line in cells[1:]]
    assert len(shares) == len(UNCERTAIN_ROWS)
    assert shares[0] < 50
    assert shares[-1] == 100
