"""CSV, with or without a header.

Format: RFC 4180, https://www.rfc-editor.org/rfc/rfc4180; an empty cell is a missing value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from chalicelib.errors import MalformedBody
from chalicelib.inputs.columns import check_rows, order_columns
from chalicelib.inputs.numbers import NUMBER
from chalicelib.inputs.problems import Problems
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.rest.body import JSON

CSV = "text/csv"

_BOOLEANS = {"true": True, "false": False}

# A table without these characters holds only what `float` and `NUMBER` parse alike.
_NOT_NUMERIC = re.compile(r'[^0-9eE+.,"\s-]', re.ASCII)
_NUMBER_KINDS = ("numeric", "integer")


def accepts_csv(headers: Mapping[str, str]) -> bool:
    """Check whether ``Accept`` prefers CSV to JSON; JSON wins a tie if it comes first."""
    best, best_q = JSON, 0.0
    for choice in headers.get("accept", JSON).lower().split(","):
        name, *parameters = (part.strip() for part in choice.split(";"))
        q = next((_q_value(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        if name in (JSON, CSV, "*/*", "application/*", "text/*") and q > best_q:
            best, best_q = name, q
    return best in (CSV, "text/*")


def write_csv(rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV without a header."""
    import csv  # imported by CSV requests only
    import io

    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue()


def read_csv(
    text: str, signature: Signature, *, max_rows: int, ignores_others: bool = False
) -> list[Any]:
    """Parse samples: by name below a header, else by position.

    `ignores_others` is that of `chalicelib.inputs.columns.order_columns`.

    Returns
    -------
    list
        Samples, as `chalicelib.inputs.samples.read_samples` parses them.

    Raises
    ------
    MalformedBody
        If the text is not CSV.
    InvalidRequest
        If the header or the length of a row does not fit the model.
    TooManySamples
    """
    rows = _parse_rows(text, max_rows)
    names = [cell.strip() for cell in rows[0]] if rows else []
    if not is_header(names, signature):
        return _parse_table(rows, list(signature.features), text)
    problems = Problems()
    order = order_columns(
        names,
        signature,
        problems,
        path="header",
        name_path=lambda index: f"header[{index}]",
        ignores_others=ignores_others,
    )
    feature_by_column = {column: signature.features[i] for i, column in enumerate(order)}
    features = [feature_by_column.get(column) for column in range(len(names))]
    values = _parse_table(rows[1:], features, text[text.find("\n") + 1 :])
    check_rows(values, len(names), problems, path="rows", max_rows=max_rows)
    problems.raise_if_any()
    if order == list(range(len(names))):
        return values
    return [[None if index is None else row[index] for index in order] for row in values]


def _parse_rows(text: str, max_rows: int) -> list[list[str]]:
    """Return the rows that are not empty, up to one more than the header and `max_rows`."""
    import csv  # imported by CSV requests only
    import io

    if text.startswith("\ufeff"):
        raise MalformedBody("The body begins with a byte order mark: send it without one.")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return list(islice((row for row in reader if row), max_rows + 2))
    except csv.Error:
        raise MalformedBody(f"The body is not CSV: see line {reader.line_num}.") from None


def is_header(cells: list[str], signature: Signature) -> bool:
    """Check whether every cell is a feature name, or some are and none is a number."""
    is_known = [cell in signature.known_names for cell in cells]
    return bool(cells) and (
        all(is_known) or (any(is_known) and not any(NUMBER.fullmatch(cell) for cell in cells))
    )


def _parse_table(
    rows: list[list[str]], features: Sequence[Feature | None], text: str
) -> list[list[Any]]:
    """Parse the rows of a table; `text` is what they were read from."""
    is_numeric = all(feature and feature.kind in _NUMBER_KINDS for feature in features)
    parse = _parse_numbers if is_numeric and not _NOT_NUMERIC.search(text) else _parse_row
    return [parse(row, features) for row in rows]


def _parse_numbers(cells: list[str], features: Sequence[Feature | None]) -> list[Any]:
    """Parse a row of a table of numbers, in a tenth of the time of `_parse_row`."""
    try:
        return [float(cell) if cell else None for cell in cells]
    except ValueError:
        return _parse_row(cells, features)


def _parse_row(cells: list[str], features: Sequence[Feature | None]) -> list[Any]:
    """Parse each cell by its feature; a row of another length is returned as it is."""
    if len(cells) != len(features):
        return list(cells)
    return [parse_cell(cell, feature) for cell, feature in zip(cells, features, strict=True)]


def parse_cell(cell: str, feature: Feature | None) -> object:
    """Parse a cell by its feature, to the value that JSON has; what does not fit stays text."""
    if not cell or feature is None:
        return None
    if feature.kind == "categorical":
        return cell
    if feature.kind == "boolean":
        return _BOOLEANS.get(cell.strip().lower(), cell)
    return float(cell) if NUMBER.fullmatch(cell) else cell


def _q_value(text: str) -> float:
    """Parse a quality value: RFC 9110, section 12.4.2."""
    return float(text) if re.fullmatch(r"[01](\.\d{0,3})?", text, re.ASCII) else 0.0
