"""The body of ``POST /classify``: bytes in, what was asked for out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from chalicelib.errors import BodyTooLarge, MalformedBody, Problems, UnsupportedMediaType
from chalicelib.samples import did_you_mean, shortened

# The most that Lambda takes as the payload of one call:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_PAYLOAD_BYTES = 6 * 1024 * 1024

_FIELDS = ("data", "probabilities")


class ClassifyRequest(NamedTuple):
    """What a client asks for.

    Parameters
    ----------
    data : object
        The samples as they were sent; what they may be is for the model's signature to say.
    probabilities : bool
        Whether the answer shall hold the probability of each class.
    """

    data: object
    probabilities: bool = False


def read_classify_request(body: bytes | str, headers: Mapping[str, str]) -> ClassifyRequest:
    """Read a request for a classification.

    Parameters
    ----------
    body : bytes or str
        The body as it came.
    headers : mapping of str to str
        The request's headers; found whatever their case.

    Returns
    -------
    ClassifyRequest

    Raises
    ------
    UnsupportedMediaType
        If the body is not sent as plain JSON in UTF-8.
    BodyTooLarge
        If it is over Lambda's limit.
    MalformedBody
        If it is not JSON.
    InvalidRequest
        If it is JSON of another form.
    """
    _check_media_type(headers)
    document = _parse(body)
    problems = Problems()
    if not isinstance(document, dict):
        problems.add("", 'the body must be an object, as in {"data": ...}')
        document = {}
    else:
        for name in document:
            if name not in _FIELDS:
                hint = did_you_mean(name, _FIELDS)
                problems.add(shortened(name), f"is not a field of a request{hint}")
        if "data" not in document:
            problems.add("data", "is required")
    if not isinstance(document.get("probabilities", False), bool):
        problems.add("probabilities", "must be true or false")
    problems.raise_if_any()
    return ClassifyRequest(**document)


def _check_media_type(headers: Mapping[str, str]) -> None:
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType
    media_type, *parameters = headers.get("content-type", "application/json").lower().split(";")
    if media_type.strip() != "application/json":
        raise UnsupportedMediaType
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType


def _parse(body: bytes | str) -> Any:
    if len(body) > LAMBDA_PAYLOAD_BYTES:
        raise BodyTooLarge("A body", LAMBDA_PAYLOAD_BYTES, "bytes")
    if not body:
        raise MalformedBody('The body is empty; it must be JSON, as in {"data": ...}.')
    try:
        text = body if isinstance(body, str) else body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedBody("The body is not UTF-8.") from None
    try:
        return _load(text)
    except RecursionError:
        raise MalformedBody("The body is nested too deep.") from None
    except json.JSONDecodeError as error:
        # Of the decoder's own words only the place is passed on: the rest may repeat the body.
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedBody(f"The body is not JSON: see {place}.") from None


def _load(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of more digits than Python turns into one: let it be infinite
        return json.loads(text, parse_constant=_refuse_constant, parse_int=float)


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedBody(f"The body is not JSON: it holds {name}, which JSON does not have.")
