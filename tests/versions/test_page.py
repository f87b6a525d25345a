"""The page about releases of scikit-learn keeps the rows that are not measured again."""

from __future__ import annotations

from tests.versions.__main__ import PAGE, RELEASES
from tests.versions.page import format_page, format_row, read_page

ONNX = {"kind": "classifier", "name": "GaussianNB", "runtime": "onnx", "reason": ""}
OTHER = {"kind": "pipeline", "name": "A, B", "runtime": "sklearn", "reason": "a | b"}


def test_rows_are_counted_and_read_again() -> None:
    """In the order of the releases; what ONNX does not serve is listed."""
    rows = {
        "1.10": format_row("1.10", "3.14", [ONNX]),
        "1.9@3.12": format_row("1.9@3.12", "3.12", [OTHER]),
        "1.9": format_row("1.9", "3.13", [ONNX, OTHER]),
    }
    page = format_page(rows)
    assert "| 1.9 | 3.13 | 1 | 0 | 0 | 0 | 1 | 0 |\n| 1.9@3.12 | 3.12 | 0" in page
    assert "| 0 |\n| 1.10 | 3.14 | 1 | 0" in page
    assert "| 1.9 | A, B | sklearn | a \\| b |" in page
    assert read_page(page) == rows
    assert format_page(read_page(page)) == page


def test_the_page_is_of_this_code_and_has_every_release() -> None:
    """In which nothing failed."""
    page = PAGE.read_text()
    rows = read_page(page)
    assert tuple(release for release in rows if "@" not in release) == RELEASES
    assert format_page(rows) == page
    assert "| failed |" not in "".join(line for row in rows.values() for line in row.others)
