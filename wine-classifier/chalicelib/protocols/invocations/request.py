"""The body of ``POST /invocations``: the JSON formats of MLflow and SageMaker, and CSV.

Formats: https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.inputs.columns import check_rows, order_columns, read_columns, read_rows
from chalicelib.inputs.problems import (
    Locate,
    Problems,
    locate_in_columns,
    locate_in_rows,
    member_path,
)
from chalicelib.inputs.samples import Samples, check_row_count
from chalicelib.inputs.signature import Signature
from chalicelib.inputs.suggestions import shorten_name
from chalicelib.inputs.values import Column
from chalicelib.named_tuple import NamedTuple
from chalicelib.protocols.invocations.csv_format import CSV, read_csv
from chalicelib.rest.body import JSON, parse_json, read_media_type, read_text

_FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_SPLIT_FIELDS = ("columns", "data", "index")
_EXAMPLE = 'as in {"dataframe_split": {"columns": [...], "data": [...]}}'


class Invocation(NamedTuple):
    """Samples of a request.

    Parameters
    ----------
    samples : list or Samples
        As `chalicelib.inputs.samples.read_samples` parses them, or parsed.
    locate : Locate
        Returns the path of a value in the request.
    is_bare : bool
        True for a JSON array without an object around it; the response has the same form.
    """

    samples: list[Any] | Samples
    locate: Locate
    is_bare: bool = False


def read_invocation(
    body: bytes | str, headers: Mapping[str, str], signature: Signature, *, max_rows: int
) -> Invocation:
    """Parse the body.

    Raises
    ------
    UnsupportedMediaType
        If it is declared neither as JSON nor as CSV, in UTF-8, uncompressed.
    MalformedBody
        If it is not what it is declared as.
    InvalidRequest
        If it has none of the formats, or its columns do not fit the model.
    BodyTooLarge
        If it is over Lambda's limit, or has more than `max_rows` samples.
    """
    content_type = read_media_type(headers, (JSON, CSV))
    text = read_text(body)
    if content_type == CSV:
        return Invocation(read_csv(text, signature, max_rows=max_rows), locate_in_rows("rows"))
    document = parse_json(text)
    if isinstance(document, list):
        return Invocation(document, locate_in_rows(""), is_bare=True)
    format_name = _find_format(document)
    value = document[format_name]
    if format_name == "dataframe_split":
        return _read_split(value, signature, max_rows=max_rows)
    if format_name == "inputs" and isinstance(value, dict):
        return _read_columns(value, signature, max_rows=max_rows)
    return _read_rows(format_name, value, max_rows=max_rows)


def _find_format(document: object) -> str:
    """Return the name of the one format in the body."""
    problems = Problems()
    if not isinstance(document, dict):
        problems.add("", f"The body must be an object, {_EXAMPLE}, or a list")
        problems.raise_if_any()
    assert isinstance(document, dict)  # rejected above
    formats = [name for name in _FORMATS if name in document]
    for name in document:
        if name == "params" and not document[name]:
            continue  # MLflow's model parameters: none are supported
        if name not in _FORMATS:
            path, problem = shorten_name(name), "is not a format of samples"
            problems.add_unknown(path, name, _FORMATS, problem)
    if len(formats) != 1:
        problems.add("", f"The body must hold exactly one of {', '.join(_FORMATS)}")
    problems.raise_if_any()
    return formats[0]


def _read_rows(name: str, rows: object, *, max_rows: int) -> Invocation:
    problems = Problems()
    if not isinstance(rows, list):
        problems.add(name, "must be a list of samples")
    elif name == "dataframe_records":
        check_row_count(len(rows), max_rows)
        for index, record in enumerate(rows):
            if not isinstance(record, dict):
                problems.add(f"{name}[{index}]", "must be an object, a value for each feature")
    problems.raise_if_any()
    assert isinstance(rows, list)  # rejected above
    return Invocation(rows, locate_in_rows(name))


def _read_columns(columns: dict[str, Any], signature: Signature, *, max_rows: int) -> Invocation:
    def path(name: str) -> str:
        return member_path("inputs", shorten_name(name))

    problems = Problems()
    names, values = list(columns), list(columns.values())
    order = order_columns(
        names, signature, problems, path="inputs", name_path=lambda index: path(names[index])
    )
    for name, column in columns.items():
        if not isinstance(column, list):
            problems.add(path(name), "must be a list of values")
        elif isinstance(values[0], list) and len(column) != len(values[0]):
            problems.add(path(name), "is not as long as the first column")
    problems.raise_if_any()
    locate = locate_in_columns("inputs", lambda name: member_path("inputs", name))
    samples = read_columns(
        list(map(Column, values)),
        order,
        signature,
        locate,
        rows=len(values[0]) if values else 0,
        max_rows=max_rows,
    )
    return Invocation(samples, locate)


def _read_split(split: object, signature: Signature, *, max_rows: int) -> Invocation:
    problems = Problems()
    names, rows = _check_split(split, problems)
    path = "dataframe_split.data"
    locate = locate_in_rows(path)
    if _is_unnamed(names):
        problems.raise_if_any()
        for index, row in enumerate(rows):
            if not isinstance(row, list):
                problems.add(f"{path}[{index}]", "must be a list")
        problems.raise_if_any()
        return Invocation(rows, locate)
    order = order_columns(
        names,
        signature,
        problems,
        path="dataframe_split.columns",
        name_path=lambda column: f"dataframe_split.columns[{column}]",
    )
    check_rows(rows, len(names), problems, path=path, max_rows=max_rows)
    problems.raise_if_any()
    if order == list(range(len(names))):
        return Invocation(rows, locate)
    samples = read_rows(rows, order, signature, locate, width=len(names), max_rows=max_rows)
    return Invocation(samples, locate)


def _is_unnamed(columns: list[Any]) -> bool:
    """Check for the columns of a frame that was made of an array: 0, 1, 2, ..."""
    return (
        bool(columns)
        and columns == list(range(len(columns)))
        and all(type(name) is int for name in columns)
    )


def _check_split(split: object, problems: Problems) -> tuple[list[Any], list[Any]]:
    """Return the columns and the data of a split frame."""
    if not isinstance(split, dict):
        problems.add("dataframe_split", "must be an object with columns and data")
        problems.raise_if_any()
    assert isinstance(split, dict)  # rejected above
    for name in split:
        if name not in _SPLIT_FIELDS:
            path = member_path("dataframe_split", shorten_name(name))
            problems.add_unknown(path, name, _SPLIT_FIELDS, "is not a field of this format")
    for name in ("columns", "data"):
        if not isinstance(split.get(name), list):
            problems.add(f"dataframe_split.{name}", "must be a list")
    problems.raise_if_any()
    columns, data, index = split["columns"], split["data"], split.get("index")
    if not columns:
        problems.add("dataframe_split.columns", "has no names")
    if index is not None and not (isinstance(index, list) and len(index) == len(data)):
        problems.add("dataframe_split.index", "must be a list as long as the data")
    return columns, data
