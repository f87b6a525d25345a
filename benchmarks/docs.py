"""Write the results to `docs` and to the README."""

from __future__ import annotations

from pathlib import Path

from benchmarks import when_it_fits
from benchmarks.chart import draw
from benchmarks.packages import ROOT
from benchmarks.report import report
from benchmarks.results import Results
from benchmarks.tables import main_table

START, END = "<!-- benchmark -->", "<!-- /benchmark -->"
README, DOCS = ROOT / "README.md", ROOT / "docs"


def write_pages(results: Results, folder: Path) -> None:
    """Write the pages and their charts to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmark.md").write_text(report(results))
    draw(results, folder / "benchmark.png")
    when_it_fits.write_page(results, folder)


def write_readme(results: Results) -> None:
    """Replace the main table in the README."""
    README.write_text(replace_table(README.read_text(), main_table(results)))


def replace_table(page: str, table: str, name: str = "benchmark") -> str:
    """Replace the table between the marks of a page; raise ValueError if a mark is missing."""
    before, start, rest = page.partition(f"<!-- {name} -->")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    if not (start and end):
        raise ValueError(f"The page has no marks for the table, <!-- {name} --> and its end.")
    return f"{before}{start}\n\n{table}\n\n{end}{after}"


def extract_table(page: str) -> str:
    """Return the table between the marks of a page."""
    return page.partition(START)[2].partition(END)[0].strip()
