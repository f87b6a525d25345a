"""Bodies, for every route that reads one: bytes in, what JSON or text they hold out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

from chalicelib.errors import BodyTooLarge, MalformedBody, UnsupportedMediaType

# The most that Lambda takes as the payload of one call:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_PAYLOAD_BYTES = 6 * 1024 * 1024

# A list takes many times the memory of the two characters that it is written with, and numbers or
# text take less for theirs: without a limit on lists, they would decide how much a function needs.
MAX_CONTAINERS = 500_000
_ENOUGH_TO_BE_TOO_DEEP = 500_000  # characters

JSON = "application/json"


def read_json(body: bytes | str, headers: Mapping[str, str]) -> Any:
    """Read a body that must be JSON.

    Parameters
    ----------
    body : bytes or str
        The body as it came.
    headers : mapping of str to str
        The request's headers; found whatever their case.

    Returns
    -------
    object
        What `json.loads` makes of it.

    Raises
    ------
    UnsupportedMediaType
        If the body is not sent as plain JSON in UTF-8.
    BodyTooLarge
        If it is over Lambda's limit.
    MalformedBody
        If it is not JSON, or an object in it has a name twice.
    """
    media_type(headers, (JSON,))
    return parse_json(read_text(body))


def media_type(headers: Mapping[str, str], taken: tuple[str, ...]) -> str:
    """Find out what a body is sent as.

    Parameters
    ----------
    headers : mapping of str to str
        The request's headers; found whatever their case.
    taken : tuple of str
        The media types that are read; the first is what a body is that does not say.

    Returns
    -------
    str
        One of `taken`.

    Raises
    ------
    UnsupportedMediaType
        If the body is of another type, compressed, or not in UTF-8.
    """
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType(taken)
    sent_as, *parameters = headers.get("content-type", taken[0]).lower().split(";")
    sent_as = sent_as.strip()
    if sent_as not in taken:
        raise UnsupportedMediaType(taken)
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(taken)
    return sent_as


def read_text(body: bytes | str) -> str:
    """Read a body as text.

    Parameters
    ----------
    body : bytes or str
        The body as it came.

    Returns
    -------
    str

    Raises
    ------
    BodyTooLarge
        If it is over Lambda's limit.
    MalformedBody
        If it is empty, or not UTF-8.
    """
    if len(body) > LAMBDA_PAYLOAD_BYTES:
        raise BodyTooLarge("A body", LAMBDA_PAYLOAD_BYTES, "bytes")
    if not body:
        raise MalformedBody("The body is empty.")
    try:
        return body if isinstance(body, str) else body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedBody("The body is not UTF-8.") from None


def parse_json(text: str) -> Any:
    """Read JSON as its standard has it: no NaN, and no name twice in one object.

    Parameters
    ----------
    text : str

    Returns
    -------
    object
        What `json.loads` makes of it; an integer of thousands of digits is an infinite float.

    Raises
    ------
    MalformedBody
        If it is not JSON, nested too deep, or an object in it has a name twice.
    BodyTooLarge
        If it holds more than `MAX_CONTAINERS`, nested or side by side.
    """
    try:
        if text.count("[") + text.count("{") > MAX_CONTAINERS:
            _refuse_so_many(text)
        return _load(text)
    except RecursionError:
        raise MalformedBody("The body is nested too deep.") from None
    except json.JSONDecodeError as error:
        # Of the decoder's own words only the place is passed on: the rest may repeat the body.
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedBody(f"The body is not JSON: see {place}.") from None


def _refuse_so_many(text: str) -> NoReturn:
    with suppress(json.JSONDecodeError):
        _DECODER.decode(text[:_ENOUGH_TO_BE_TOO_DEEP])
    raise BodyTooLarge("A body", MAX_CONTAINERS, "lists and objects")


def _load(text: str) -> Any:
    try:
        return _without_duplicates(text, _DECODER)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of more digits than Python turns into one: let it be infinite
        return _without_duplicates(text, _decoder(parse_int=float), parse_int=float)


def _without_duplicates(text: str, decoder: json.JSONDecoder, **options: Any) -> Any:
    document = decoder.decode(text)
    # Each name has a colon. If there are more colons than names, then some are in strings, or a
    # name was there twice: only then is it worth the time to look closer.
    if text.count(":") != _count_names(document, objects=text.count("{")):
        _decoder(object_pairs_hook=_refuse_duplicates, **options).decode(text)
    return document


def _count_names(document: Any, objects: int) -> int:
    """Count the names in all objects, level by level until as many objects are found."""
    names = 0
    level = [document] if isinstance(document, (dict, list)) else []
    while level and objects > 0:
        found = [node for node in level if type(node) is dict]
        names += sum(map(len, found))
        objects -= len(found)
        if objects > 0:
            inner = (node.values() if type(node) is dict else node for node in level)
            level = [n for nodes in inner for n in nodes if type(n) is dict or type(n) is list]
    return names


def _decoder(**options: Any) -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_refuse_constant, **options)


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedBody(f"The body is not JSON: it holds {name}, which JSON does not have.")


def _refuse_duplicates(members: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in members}) != len(members):
        raise MalformedBody("The body holds an object that has the same name twice.")


_DECODER = _decoder()
