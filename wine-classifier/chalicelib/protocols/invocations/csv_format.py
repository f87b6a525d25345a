"""Samples and labels as CSV, with or without a header.

The format: RFC 4180, https://www.rfc-editor.org/rfc/rfc4180; an empty cell is a missing value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from chalicelib.errors import MalformedBody
from chalicelib.inputs.columns import order_columns, reorder_rows
from chalicelib.inputs.problems import Problems
from chalicelib.inputs.samples import NUMBER
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.rest.body import JSON

CSV = "text/csv"

_BOOLEANS = {"true": True, "false": False}


def accepts_csv(headers: Mapping[str, str]) -> bool:
    """Tell whether a client would rather have CSV than JSON.

    Parameters
    ----------
    headers : mapping of str to str
        The request's headers; found whatever their case.

    Returns
    -------
    bool
        True only if ``Accept`` names CSV, and JSON later, less, or not at all.
    """
    best, best_quality = JSON, 0.0
    for choice in headers.get("accept", JSON).lower().split(","):
        name, *parameters = (part.strip() for part in choice.split(";"))
        quality = next((_q_value(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        if name in (JSON, CSV, "*/*", "application/*", "text/*") and quality > best_quality:
            best, best_quality = name, quality
    return best in (CSV, "text/*")


def write_csv(rows: Iterable[Sequence[object]]) -> str:
    """Write CSV without a header.

    Parameters
    ----------
    rows : iterable of sequence
        Shape (samples, values); an answer has one value a row, the label.

    Returns
    -------
    str
    """
    import csv  # only who asks for CSV should pay for its import
    import io

    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue()


def read_csv(text: str, signature: Signature, *, max_rows: int) -> list[Any]:
    """Read samples from CSV: by name under a header, else by position.

    Parameters
    ----------
    text : str
        The body.
    signature : Signature
        What the model takes.
    max_rows : int
        The most samples that one request may hold.

    Returns
    -------
    list
        The samples as `chalicelib.samples.read_samples` takes them.

    Raises
    ------
    MalformedBody
        If it is not CSV.
    InvalidRequest
        If the header, or the number of values in a line, is not what the model takes.
    BodyTooLarge
        If there are more than `max_rows` samples.
    """
    rows = _lines(text, max_rows)
    problems = Problems()
    names = [cell.strip() for cell in rows[0]] if rows else []
    if not _is_header(names, signature):
        kinds: list[Feature | None] = list(signature.features)
        return [_values(row, kinds) for row in rows]
    order = order_columns(
        names, signature, problems, lambda index: f"header[{index}]", missing_at="header"
    )
    feature_of = {column: signature.features[i] for i, column in enumerate(order)}
    kinds = [feature_of.get(index) for index in range(len(names))]
    values: list[Any] = [_values(row, kinds) for row in rows[1:]]
    samples = reorder_rows(values, order, len(names), problems, "rows", max_rows=max_rows)
    problems.raise_if_any()
    return samples


def _lines(text: str, max_rows: int) -> list[list[str]]:
    """Give the lines that hold something, but no more than tell that there are too many."""
    import csv  # only who sends CSV should pay for its import
    import io

    if text.startswith("\ufeff"):
        raise MalformedBody("The body begins with a byte order mark: send it without one.")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        # One for the header, and one too many.
        return list(islice((row for row in reader if row), max_rows + 2))
    except csv.Error:
        raise MalformedBody(f"The body is not CSV: see line {reader.line_num}.") from None


def _is_header(cells: list[str], signature: Signature) -> bool:
    """Tell whether a first row names features: all of it, or a part, and there is no number."""
    known = [cell in signature.known_names for cell in cells]
    return bool(cells) and (
        all(known) or (any(known) and not any(NUMBER.fullmatch(cell) for cell in cells))
    )


def _values(cells: list[str], features: list[Feature | None]) -> list[Any]:
    """Read each cell as what its feature is; one that is empty is missing."""
    if len(cells) != len(features):
        return list(cells)
    return [_value(cell, feature) for cell, feature in zip(cells, features, strict=True)]


def _value(cell: str, feature: Feature | None) -> object:
    if not cell or feature is None:
        return None
    if feature.kind == "categorical":
        return cell
    if feature.kind == "boolean":
        return _BOOLEANS.get(cell.strip().lower(), cell)
    return float(cell) if NUMBER.fullmatch(cell) else cell


def _q_value(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.\d{0,3})?", text, re.ASCII) else 0.0
