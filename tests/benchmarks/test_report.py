"""The report of the benchmark, from made-up measurements."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from benchmarks.bulk_tables import CONCURRENCIES, bulk_table, wait
from benchmarks.docs import extract_table, replace_table, write_pages
from benchmarks.packages import ROOT, Package, Packages
from benchmarks.prices import usd_of_containers, usd_per_million
from benchmarks.report import report
from benchmarks.results import (
    ONE_ROW,
    BulkResults,
    BulkScoring,
    Compared,
    FileScoring,
    InProcess,
    LogCost,
    ModelSize,
    Results,
    Run,
)
from benchmarks.tables import images_sentence, log_size_table, main_table, targets_table
from benchmarks.targets import amount, spread, targets
from benchmarks.when_it_fits import break_even
from deployment.emulator.function import read_durations
from deployment.package.archive import Size

MB = 1_000_000
HELLO, TUTORIAL, THIS, PARSE_ONLY = "hello", "tutorial", "this", "parse-only"
MLFLOW, BENTOML, FASTAPI, POWERTOOLS, BARE = "mlflow", "bentoml", "fastapi", "powertools", "bare"
PEERS = [MLFLOW, BENTOML, FASTAPI, POWERTOOLS, BARE]


def package(name: str, zipped: int, unzipped: int) -> Package:
    """Return a package that is not built."""
    return Package(name, Path("/nowhere"), Size(zipped * MB, unzipped * MB))


def run(slowdown: float, cold_start: float) -> Run:
    """Return a run on a slower machine, with this project's cold start in seconds."""
    cold = {HELLO: 0.08, TUTORIAL: 3.2, THIS: cold_start, PARSE_ONLY: 0.08}
    cold |= dict.fromkeys(PEERS, 2.0)
    warm = {HELLO: 0.0005, TUTORIAL: 0.014, THIS: 0.00055, PARSE_ONLY: 0.0005, ONE_ROW: 0.0006}
    warm |= dict.fromkeys(PEERS, 0.0005)
    return Run(
        {name: slowdown * time for name, time in cold.items()},
        {name: slowdown * time for name, time in warm.items()},
        {name: slowdown * (time + 0.001) for name, time in warm.items()},
        {name: int(slowdown * 70 * MB) for name in cold},
    )


@pytest.fixture
def results() -> Results:
    """Three runs: a good one, one on a slow machine, one with a slow cold start of this project."""
    return Results(
        packages=Packages(
            hello=package(HELLO, 1, 2), tutorial=package(TUTORIAL, 78, 222),
            **{name: package(name, 81, 365 if name == MLFLOW else 232) for name in PEERS},
            this_project=package(THIS, 30, 87), json_only=package(PARSE_ONLY, 1, 2),
        ),
        runs=[run(1, cold_start=0.1), run(2, cold_start=0.1), run(1, cold_start=0.16)],
        by_model_size={50_000: ModelSize(Compared([0.1, 0.1], [0.08, 0.08]), [0.001, 0.001])},
        throughput={1: [600.0, 500.0], 10_000: [90_000.0, 100_000.0]},
        in_process=InProcess(
            one=Compared([0.0001, 0.0002], [0.000025, 0.00005]),
            batch=Compared([0.045, 0.1], [0.03, 0.04]),
            columns={"`inputs`": Compared([0.033, 0.044], [0.03, 0.04])},
            bytes_and_json=Compared([0.006, 0.007], [0.04, 0.04]),
            bytes_and_baseline=Compared([0.006, 0.007], [0.004, 0.005]),
        ),
        log=LogCost(
            one={"no log": [1.0], "lines, metrics and drift": [1.3]},
            batch={"no log": [1.0], "lines, metrics and drift": [1.1]},
            bytes_by_request={"one sample": 640.0},
            metrics=18,
        ),
        log_on_emulator=Compared([1.04], [1.0]),
        scoring={
            "wine": FileScoring(
                1_000, Compared([1.0, 2.0], [3.5, 8.0]), Compared([2.0], [6.0]), MB, MB, 9 * MB
            )
        },
        bulk=BulkResults({"wine": BulkScoring(70.0, [100_000.0, 120_000.0])}, [5e8], [5e7]),
        memory_mb=512,
        machine="2 cores",
    )  # fmt: skip


def test_a_ratio_compares_times_of_the_same_run(results: Results) -> None:
    """A slow machine in one of the runs changes no ratio."""
    cold = results.cold(results.packages.this_project)
    assert cold.measured == [0.1, 0.2, 0.16]
    assert cold.ratios == pytest.approx([1.25, 1.25, 2.0])
    assert results.warm(results.packages.this_project).ratios == pytest.approx([1.1] * 3)
    assert results.one_row.ratios == pytest.approx([1.2] * 3)
    assert results.faster_than_tutorial == pytest.approx([32, 32, 20])
    assert results.cold_and_bare.ratios == pytest.approx([0.05, 0.05, 0.08])
    assert results.warm_and_bare.ratios == pytest.approx([1.1] * 3)
    assert results.unreported == pytest.approx([0.001, 0.002, 0.001])


def test_a_ratio_needs_both_times_of_each_run() -> None:
    """A missing time is an error."""
    with pytest.raises(ValueError, match="shorter"):
        assert Compared([1.0, 2.0], [1.0]).ratios


def test_figures_are_medians_with_their_range() -> None:
    """The minimum and the maximum are in brackets."""
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00 to 3.00)"
    assert spread([1_500.4, 1_499.6], 0) == "1,500 (1,500 to 1,500)"
    assert [amount(value) for value in (0.034, 9.99, 29.62, 4_516.2)] == [
        "0.03", "9.99", "29.6", "4,516",
    ]  # fmt: skip


def test_the_main_table_has_the_services_and_their_ratios(results: Results) -> None:
    """The last row, in bold, is this project's; the parse-only route has none."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in main_table(results).splitlines()[2:]
    ]
    assert [row[0] for row in rows] == [HELLO, TUTORIAL, *PEERS, f"**{THIS}**"]
    assert rows[-1][1:-2] == [
        "160 (100 to 200)", "1.25 (1.25 to 2.00)",
        "0.55 (0.55 to 1.10)", "1.10 (1.10 to 1.10)",
        "140", "30.0", "87.0",
    ]  # fmt: skip
    assert rows[0][2] == rows[0][4] == "1"


def test_the_table_shows_missed_targets(results: Results) -> None:
    """By the median of ratios; the batch's is 2 here."""
    missed = [target.description.partition(":")[0] for target in targets(results) if not target.met]
    assert missed == ["cold start", "warm request", "batch of 10,000", "peak memory"]
    assert targets_table(results).count("**no**") == 4


def test_a_start_with_a_large_model_is_compared_with_the_model_of_that_size(
    results: Results,
) -> None:
    """The closest one; each size has a limit of its own."""
    starts = {1e6: [1.3], 8.2e6: [1.5], 49e6: [3.9]}
    sizes = {int(size): ModelSize(Compared(ratio, [1.0]), [0.1]) for size, ratio in starts.items()}
    small, medium, large = targets(results._replace(by_model_size=sizes))[:3]
    assert "8.20 MB: at most 1.4 times" in medium.description
    assert "49.0 MB: at most 4 times" in large.description
    assert (small.met, medium.met, large.met) == (False, False, True)


def test_a_service_that_lambda_cannot_unzip_is_named(results: Results) -> None:
    """It needs an image."""
    assert images_sentence(results.packages).endswith(f"an image is needed: {MLFLOW}.")
    small = package(MLFLOW, 81, 262)
    assert images_sentence(results.packages._replace(mlflow=small)) == ""


def test_reads_what_the_emulator_reports_of_each_event() -> None:
    """Other lines, such as the function's own, are left out."""
    log = (
        "START RequestId: 1 Version: $LATEST\n"
        '{"event":"request","ms":0.2}\n'
        "END RequestId: 1\n"
        "REPORT RequestId: 1\tInit Duration: 0.04 ms\tDuration: 417.73 ms\t"
        "Billed Duration: 418 ms\tMemory Size: 512 MB\tMax Memory Used: 512 MB\t\n"
        "REPORT RequestId: 2\tDuration: 0.87 ms\tBilled Duration: 1 ms\tMemory Size: 512 MB\t\n"
    )
    assert read_durations(log) == pytest.approx([0.41773, 0.00087])


def test_a_maximum_is_met_at_its_limit(results: Results) -> None:
    """Here the zip's."""
    this_project = package(THIS, 35, 100)
    at_limit = results._replace(packages=results.packages._replace(this_project=this_project))
    assert {target.description: target.met for target in targets(at_limit)}["zip: at most 35 MB"]


def test_a_million_requests_cost_what_the_formula_says() -> None:
    """The result by hand: 1 % of 100 ms and 99 % of 4 ms, on half a GB.

    A warm millisecond takes 1769 / 512 times as long there: 3.455 ms, billed as 4 ms.
    1,000,000 x 4.96 ms x 0.5 GB = 2,480 GB-seconds.
    """
    assert usd_per_million(0.1, 0.001, 512) == pytest.approx(0.20 + 2_480 * 0.0000166667)


def test_a_million_requests_cost_what_they_write_to_the_log(results: Results) -> None:
    """640 bytes each are 0.64 GB, at half a dollar a GB; 18 metrics at 0.30 a month."""
    row = log_size_table(results.log).splitlines()[-1]
    assert [cell.strip() for cell in row.strip("|").split("|")][1:] == ["640", "640", "0.32"]
    assert "at most 18 metrics: 5.40 $ a month" in report(results)


def test_more_memory_than_that_of_one_processor_only_adds_cost() -> None:
    """A request uses one processor at most."""
    assert usd_per_million(0.1, 0.001, 1769) < usd_per_million(0.1, 0.001, 3538)


def test_replacing_the_table_of_a_page_keeps_the_rest() -> None:
    """A second time changes nothing."""
    page = "before\n\n<!-- benchmark -->\nold\n<!-- /benchmark -->\n\nafter\n"
    once = replace_table(page, "| new |")
    assert once == "before\n\n<!-- benchmark -->\n\n| new |\n\n<!-- /benchmark -->\n\nafter\n"
    assert replace_table(once, "| new |") == once
    assert extract_table(once) == "| new |"


@pytest.mark.parametrize(
    "page", ["", "<!-- benchmark -->", "<!-- /benchmark --><!-- benchmark -->"]
)
def test_a_page_without_marks_for_the_table_is_an_error(page: str) -> None:
    """A missing mark, or the end before the start."""
    with pytest.raises(ValueError, match="no marks"):
        replace_table(page, "| new |")


def test_writes_the_page_and_the_chart(results: Results, tmp_path: Path) -> None:
    """The page has the tables; the chart is a PNG of some size."""
    write_pages(results, tmp_path / "docs")
    page = (tmp_path / "docs" / "benchmark.md").read_text()
    assert page == report(results)
    assert main_table(results) in page
    assert targets_table(results) in page
    png = (tmp_path / "docs" / "benchmark.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert min(struct.unpack(">II", png[16:24])) > 500


def test_writes_when_serverless_fits(results: Results, tmp_path: Path) -> None:
    """Two memory sizes and three front doors for each model."""
    write_pages(results, tmp_path)
    page = (tmp_path / "when-it-fits.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| 0.05")]
    assert len(rows) == 6
    assert all(row.count("million") == 3 for row in rows)
    assert (tmp_path / "when-it-fits.png").read_bytes().startswith(b"\x89PNG")


def test_a_function_breaks_even_with_what_always_runs() -> None:
    """A hand calculation: 730 hours of a quarter of a processor, half a gigabyte, a balancer."""
    usd = usd_of_containers(tasks=1, processors=0.25, memory_gb=0.5)
    assert usd == pytest.approx(730 * (0.25 * 0.04048 + 0.5 * 0.004445 + 0.0225))
    assert break_even(usd_a_month=26.0, usd_a_million=0.26) == pytest.approx(100e6)


def test_the_readme_and_the_page_have_the_same_table() -> None:
    """The figures are of one benchmark."""
    table = extract_table((ROOT / "README.md").read_text())
    assert table.startswith("|")
    assert table in (ROOT / "docs" / "benchmark.md").read_text()


def test_a_share_of_a_processor_costs_what_a_whole_one_does(results: Results) -> None:
    """A function with a third of the memory is a third as fast; requests cost the same."""
    [_, _, row] = bulk_table(results.bulk).splitlines()
    small, large = (cell.strip() for cell in row.split("|")[2:4])
    assert (small, large) == ("31,837 (28,943 to 34,731)", "110,000 (100,000 to 120,000)")
    dollars = [cell.strip() for cell in row.split("|")[4:6]]
    assert dollars[0] == dollars[1]


@pytest.mark.parametrize("most", CONCURRENCIES)
def test_functions_that_are_added_over_time_do_the_work(most: int) -> None:
    """As a sum over small steps of time says."""
    seconds, done, step = 0.0, 0.0, 0.01
    while done < 7_000:
        done += min(most, 5 + 5 * seconds) * step
        seconds += step
    assert wait(7_000, most) == pytest.approx(seconds, rel=0.01)
    assert wait(100, most) < wait(7_000, most)
