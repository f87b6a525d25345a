"""What the benchmark makes of its measurements. Nothing is timed here."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from benchmarks.docs import table_of, with_table, write_pages
from benchmarks.packages import ROOT, Package, Packages
from benchmarks.prices import usd_per_million
from benchmarks.report import report
from benchmarks.results import ONE_ROW, Compared, Results, Run
from benchmarks.tables import main_table, targets_table
from benchmarks.targets import amount, spread, targets
from deployment.package.archive import Size

MB = 1_000_000
HELLO, TUTORIAL, FASTAPI, OURS, PARSES = "hello", "tutorial", "fastapi", "ours", "parses"


def package(name: str, zipped: int, unzipped: int) -> Package:
    """A package that was never built."""
    return Package(name, Path("/nowhere"), Size(zipped * MB, unzipped * MB))


def run(slower: float, ours: float) -> Run:
    """A run on a machine that is so many times slower than another, and how long ours took."""
    cold = {HELLO: 0.08, TUTORIAL: 3.2, FASTAPI: 2.0, OURS: ours, PARSES: 0.08}
    warm = {HELLO: 0.0005, TUTORIAL: 0.014, FASTAPI: 0.002, OURS: 0.00055, PARSES: 0.0005}
    warm[ONE_ROW] = 0.0006
    return Run(
        {name: slower * time for name, time in cold.items()},
        {name: slower * time for name, time in warm.items()},
        {name: int(slower * 70 * MB) for name in cold},
    )


@pytest.fixture
def results() -> Results:
    """Three runs: a good one, one in which the machine was slow, one in which ours was slow."""
    return Results(
        packages=Packages(
            package(HELLO, 1, 2), package(TUTORIAL, 78, 222), package(FASTAPI, 81, 232),
            package(OURS, 30, 87), package(PARSES, 1, 2),
        ),
        runs=[run(1, ours=0.1), run(2, ours=0.1), run(1, ours=0.16)],
        by_model_size={50_000: Compared([0.1, 0.1], [0.08, 0.08])},
        throughput={1: [600.0, 500.0], 10_000: [90_000.0, 100_000.0]},
        one_in_process=Compared([0.0001, 0.0002], [0.000025, 0.00005]),
        batch_in_process=Compared([0.045, 0.1], [0.03, 0.04]),
        memory_mb=512,
        machine="2 cores",
    )  # fmt: skip


def test_a_ratio_is_made_within_a_run(results: Results) -> None:
    """That the machine was slow in one of them changes no ratio."""
    cold = results.cold(results.packages.ours)
    assert cold.measured == [0.1, 0.2, 0.16]
    assert cold.ratios == pytest.approx([1.25, 1.25, 2.0])
    assert results.warm(results.packages.ours).ratios == pytest.approx([1.1] * 3)
    assert results.one_row.ratios == pytest.approx([1.2] * 3)
    assert results.faster_than_tutorial == pytest.approx([32, 32, 20])


def test_a_ratio_needs_both_times_of_each_run() -> None:
    """It is not made of what was measured in another run."""
    with pytest.raises(ValueError, match="shorter"):
        assert Compared([1.0, 2.0], [1.0]).ratios


def test_figures_are_written_as_the_median_with_its_range() -> None:
    """The least and the most are in brackets."""
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00 to 3.00)"
    assert spread([1_500.4, 1_499.6], 0) == "1,500 (1,500 to 1,500)"
    assert [amount(value) for value in (0.034, 9.99, 29.62, 4_516.2)] == [
        "0.03", "9.99", "29.6", "4,516",
    ]  # fmt: skip


def test_the_main_table_has_the_services_and_their_ratios(results: Results) -> None:
    """Ours last and in bold; the route that only parses is no service."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in main_table(results).splitlines()[2:]
    ]
    assert [row[0] for row in rows] == [HELLO, TUTORIAL, FASTAPI, f"**{OURS}**"]
    assert rows[-1][1:-1] == [
        "160 (100 to 200)", "1.25 (1.25 to 2.00)",
        "0.55 (0.55 to 1.10)", "1.10 (1.10 to 1.10)",
        "140", "30.0", "87.0",
    ]  # fmt: skip
    assert rows[0][2] == rows[0][4] == "1"


def test_a_target_that_is_missed_says_so(results: Results) -> None:
    """Of ratios the median counts; a batch's, two here, has to be less than that."""
    missed = [target.what.partition(":")[0] for target in targets(results) if not target.met]
    assert missed == ["batch of 10,000", "peak memory"]
    assert targets_table(results).count("**no**") == 2


def test_a_target_of_at_most_is_met_at_its_limit(results: Results) -> None:
    """The zip may have all that it is allowed."""
    ours = package(OURS, 35, 100)
    at_limit = results._replace(packages=results.packages._replace(ours=ours))
    assert {target.what: target.met for target in targets(at_limit)}["zip: at most 35 MB"]


def test_a_million_requests_cost_what_the_formula_says() -> None:
    """Calculated by hand: 1 % of 100 ms and 99 % of 4 ms, on half a GB.

    A warm millisecond takes 1769 / 512 as long there, which is 3.455 ms and billed as 4;
    1,000,000 x 4.96 ms x 0.5 GB are 2,480 GB-seconds.
    """
    assert usd_per_million(0.1, 0.001, 512) == pytest.approx(0.20 + 2_480 * 0.0000166667)


def test_more_memory_than_one_processor_needs_is_paid_for_in_vain() -> None:
    """A request uses one at most."""
    assert usd_per_million(0.1, 0.001, 1769) < usd_per_million(0.1, 0.001, 3538)


def test_a_table_is_put_into_a_page_and_replaced_there() -> None:
    """What is around it stays, and to do it again changes nothing."""
    page = "before\n\n<!-- benchmark -->\nold\n<!-- /benchmark -->\n\nafter\n"
    once = with_table(page, "| new |")
    assert once == "before\n\n<!-- benchmark -->\n\n| new |\n\n<!-- /benchmark -->\n\nafter\n"
    assert with_table(once, "| new |") == once
    assert table_of(once) == "| new |"


@pytest.mark.parametrize(
    "page", ["", "<!-- benchmark -->", "<!-- /benchmark --><!-- benchmark -->"]
)
def test_a_page_without_a_place_for_the_table_is_left_alone(page: str) -> None:
    """It is not guessed where the table goes."""
    with pytest.raises(ValueError, match="no place"):
        with_table(page, "| new |")


def test_the_page_and_the_picture_are_written(results: Results, tmp_path: Path) -> None:
    """The page has every table; the picture is a PNG of some size."""
    write_pages(results, tmp_path / "docs")
    page = (tmp_path / "docs" / "benchmark.md").read_text()
    assert page == report(results)
    assert main_table(results) in page
    assert targets_table(results) in page
    png = (tmp_path / "docs" / "benchmark.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert min(struct.unpack(">II", png[16:24])) > 500


def test_the_readme_and_the_page_agree() -> None:
    """Both have the same table, of the same run."""
    table = table_of((ROOT / "README.md").read_text())
    assert table.startswith("|")
    assert table in (ROOT / "docs" / "benchmark.md").read_text()
