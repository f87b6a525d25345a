"""The page about the releases of scikit-learn, of which some rows can be measured again."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

Result = dict[str, str]  # of `tests.versions.measure`
_RELEASE = re.compile(r"\| (\d+\.\d+(?:@\d+\.\d+)?) \|")
_HEAD = """\
# Versions of scikit-learn

`training.publish` works in the environment that fitted the model: scikit-learn 1.5 to 1.9, from Python 3.12 on. This page is
what `make versions` found when it published, under each minor release, scikit-learn's classifiers, fitted on the wine data,
and pipelines on a table of numbers, categories and text with gaps. ONNX serves what is counted as such, whichever release
fitted it; the rest needs scikit-learn itself on the server, of the release that fitted it. A combination of scikit-learn and
Python that has no row was not measured. `make versions RELEASES="1.5 1.9@3.14"` measures 1.5, and 1.9 under Python 3.14, and
keeps the rows of the others.
"""  # noqa: E501
_COUNTS = """
| release | Python | classifiers by ONNX | by scikit-learn | failed | pipelines by ONNX | by scikit-learn | failed |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""  # noqa: E501
_OTHERS = """
Not by ONNX:

| release | estimator | runtime | reason |
| --- | --- | --- | --- |
"""


class Row(NamedTuple):
    """The lines of the page about one release."""

    counts: str
    others: list[str]  # one for each estimator that is not served by ONNX


def format_row(release: str, python: str, results: list[Result]) -> Row:
    """Count how the estimators of a release are served, and list those that ONNX does not serve."""
    counts = Counter((result["kind"], result["runtime"]) for result in results)
    figures = [
        str(counts[kind, runtime])
        for kind in ("classifier", "pipeline")
        for runtime in ("onnx", "sklearn", "failed")
    ]
    others = [
        f"| {release} | {result['name']} | {result['runtime']} | {_escape(result['reason'])} |"
        for result in results
        if result["runtime"] != "onnx"
    ]
    return Row(f"| {' | '.join([release, python, *figures])} |", others)


def read_page(page: str) -> dict[str, Row]:
    """Return the rows of each release on the page, whose first one has the counts."""
    lines: dict[str, list[str]] = {}
    for line in page.splitlines():
        match = _RELEASE.match(line)
        if match:
            lines.setdefault(match[1], []).append(line)
    return {release: Row(first, others) for release, (first, *others) in lines.items()}


def format_page(rows: dict[str, Row]) -> str:
    """Return the page, releases in order."""
    ordered = [rows[release] for release in sorted(rows, key=_parse)]
    others = [line for row in ordered for line in row.others]
    page = _HEAD + _COUNTS + "".join(f"{row.counts}\n" for row in ordered)
    return page + (_OTHERS + "".join(f"{line}\n" for line in others) if others else "")


def _parse(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release))


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|")
