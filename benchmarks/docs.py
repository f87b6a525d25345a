"""Where the results are written to: a page of their own, and a place in the README."""

from __future__ import annotations

from pathlib import Path

from benchmarks.chart import draw
from benchmarks.packages import ROOT
from benchmarks.report import report
from benchmarks.results import Results
from benchmarks.tables import main_table

START, END = "<!-- benchmark -->", "<!-- /benchmark -->"
README, DOCS = ROOT / "README.md", ROOT / "docs"


def write_pages(results: Results, folder: Path) -> None:
    """Write the page and the picture.

    Parameters
    ----------
    results : Results
    folder : Path
        Where to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmark.md").write_text(report(results))
    draw(results, folder / "benchmark.png")


def write_readme(results: Results) -> None:
    """Put the main table into the README.

    Parameters
    ----------
    results : Results
    """
    README.write_text(with_table(README.read_text(), main_table(results)))


def with_table(page: str, table: str) -> str:
    """Put a table between the marks of a page, in the place of what is there.

    Parameters
    ----------
    page : str
    table : str

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the page has no marks, or the end before the start.
    """
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"The page has no place for the table: {START} and then {END}.")
    return f"{before}{start}\n\n{table}\n\n{end}{after}"


def table_of(page: str) -> str:
    """Give what stands between the marks of a page.

    Parameters
    ----------
    page : str

    Returns
    -------
    str
    """
    return page.partition(START)[2].partition(END)[0].strip()
