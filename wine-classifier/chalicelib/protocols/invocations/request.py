"""The forms that MLflow's and SageMaker's clients send samples in, and are answered in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from chalicelib.errors import BodyTooLarge
from chalicelib.inputs.columns import (
    columns_to_rows,
    named,
    order_columns,
    reorder_rows,
    within,
    within_columns,
)
from chalicelib.inputs.problems import Problems
from chalicelib.inputs.signature import Signature
from chalicelib.inputs.suggestions import did_you_mean, shortened
from chalicelib.protocols.invocations.csv_format import CSV, read_csv
from chalicelib.rest.body import JSON, media_type, parse_json, read_text

_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_SPLIT_FIELDS = ("columns", "data", "index")
_EXAMPLE = 'as in {"dataframe_split": {"columns": [...], "data": [...]}}'


class Invocation(NamedTuple):
    """What a client asks for.

    Parameters
    ----------
    samples : list
        The samples as `chalicelib.samples.read_samples` takes them.
    is_bare : bool
        Whether they came as a JSON array that nothing is around, and are answered so.
    place : callable
        Says where in the request a place is that `chalicelib.samples` names.
    """

    samples: list[Any]
    is_bare: bool
    place: Callable[[str], str]


def read_invocation(
    body: bytes | str, headers: Mapping[str, str], signature: Signature, *, max_rows: int
) -> Invocation:
    """Read the body of ``POST /invocations``.

    Parameters
    ----------
    body : bytes or str
        The body as it came.
    headers : mapping of str to str
        The request's headers; found whatever their case.
    signature : Signature
        What the model takes.
    max_rows : int
        The most samples that one request may hold.

    Returns
    -------
    Invocation

    Raises
    ------
    UnsupportedMediaType
        If it is sent neither as JSON nor as CSV, in UTF-8, uncompressed.
    MalformedBody
        If it is not what it is sent as.
    InvalidRequest
        If it is of none of the forms, or the model does not take the samples.
    BodyTooLarge
        If it is over Lambda's limit, or there are more than `max_rows` samples.
    """
    sent_as = media_type(headers, (JSON, CSV))
    text = read_text(body)
    if sent_as == CSV:
        return Invocation(read_csv(text, signature, max_rows=max_rows), False, within("rows"))
    document = parse_json(text)
    if isinstance(document, list):
        return Invocation(document, True, lambda place: place.removeprefix("data"))
    problems = Problems()
    form = _form(document, problems)
    problems.raise_if_any()
    sent = document[form]
    if form == "dataframe_split":
        return _split(sent, signature, max_rows=max_rows)
    if form == "inputs" and isinstance(sent, dict):
        return _columns(sent, signature, max_rows=max_rows)
    return _rows(form, sent, max_rows=max_rows)


def _form(document: object, problems: Problems) -> str:
    """Find the one form that is in the body."""
    if not isinstance(document, dict):
        problems.add("", f"The body must be an object, {_EXAMPLE}, or a list")
        return ""
    forms = [name for name in document if name in _FORMS]
    for name in document:
        if name == "params" and not document[name]:
            continue  # MLflow's parameters of a model, which ours have none of
        if name not in _FORMS:
            hint = "" if problems.list_is_full() else did_you_mean(name, _FORMS)
            problems.add(shortened(name), f"is not a form of samples{hint}")
    if len(forms) != 1:
        problems.add("", f"The body must hold exactly one of {', '.join(_FORMS)}")
    return forms[0] if forms else ""


def _rows(form: str, sent: object, *, max_rows: int) -> Invocation:
    problems = Problems()
    if not isinstance(sent, list):
        problems.add(form, "must be a list of samples")
    elif form == "dataframe_records":
        if len(sent) > max_rows:
            raise BodyTooLarge("A batch", max_rows, "samples")
        for index, record in enumerate(sent):
            if not isinstance(record, dict):
                problems.add(f"{form}[{index}]", "must be an object, a value for each feature")
    problems.raise_if_any()
    assert isinstance(sent, list)  # refused above
    return Invocation(sent, False, within(form))


def _columns(sent: dict[str, Any], signature: Signature, *, max_rows: int) -> Invocation:
    problems = Problems()
    names = list(sent)
    order = order_columns(
        names,
        signature,
        problems,
        lambda index: named("inputs", names[index]),
        missing_at="inputs",
    )
    columns = list(sent.values())
    for name, column in sent.items():
        if not isinstance(column, list):
            problems.add(named("inputs", name), "must be a list of values")
        elif isinstance(columns[0], list) and len(column) != len(columns[0]):
            problems.add(named("inputs", name), "is not as long as the first column")
    problems.raise_if_any()
    samples = columns_to_rows(columns, order, max_rows=max_rows)
    return Invocation(samples, False, within_columns("inputs", lambda name: f"inputs.{name}"))


def _split(sent: object, signature: Signature, *, max_rows: int) -> Invocation:
    problems = Problems()
    if not isinstance(sent, dict):
        problems.add("dataframe_split", "must be an object with columns and data")
        problems.raise_if_any()
    assert isinstance(sent, dict)  # refused above
    for name in sent:
        if name not in _SPLIT_FIELDS:
            hint = "" if problems.list_is_full() else did_you_mean(name, _SPLIT_FIELDS)
            problems.add(named("dataframe_split", name), f"is not a part of this form{hint}")
    for name in ("columns", "data"):
        if not isinstance(sent.get(name), list):
            problems.add(f"dataframe_split.{name}", "must be a list")
    problems.raise_if_any()
    if not sent["columns"]:
        problems.add("dataframe_split.columns", "names no columns")
    names, data, index = sent["columns"], sent["data"], sent.get("index")
    if index is not None and not (isinstance(index, list) and len(index) == len(data)):
        problems.add("dataframe_split.index", "must be a list as long as the data")
    if _is_unnamed(names):  # a frame that was made of an array
        problems.raise_if_any()
        return Invocation(_in_rows(data), False, within("dataframe_split.data"))
    order = order_columns(
        names,
        signature,
        problems,
        lambda column: f"dataframe_split.columns[{column}]",
        missing_at="dataframe_split.columns",
    )
    at = "dataframe_split.data"
    samples = reorder_rows(data, order, len(names), problems, at, max_rows=max_rows)
    problems.raise_if_any()
    return Invocation(samples, False, within(at))


def _is_unnamed(names: list[Any]) -> bool:
    return (
        bool(names)
        and all(type(name) is int for name in names)
        and names == list(range(len(names)))
    )


def _in_rows(data: list[Any]) -> list[Any]:
    problems = Problems()
    for index, row in enumerate(data):
        if not isinstance(row, list):
            problems.add(f"dataframe_split.data[{index}]", "must be a list")
    problems.raise_if_any()
    return data
