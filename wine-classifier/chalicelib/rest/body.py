"""Request bodies: media type, text and JSON, with every malformed body named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

from chalicelib.errors import BodyTooLarge, MalformedBody, UnsupportedMediaType

# Lambda's limit on the payload of a synchronous call:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_PAYLOAD_BYTES = 6 * 1024 * 1024

# A list takes far more memory than the two characters that write it, so lists and objects need a
# limit of their own; numbers and text are bounded by the payload.
MAX_CONTAINERS = 250_000
_DEPTH_PROBE_CHARACTERS = 500_000
_LONG_TEXT_CHARACTERS = 10_000
_FEW = 20

JSON = "application/json"


def read_json(body: bytes | str, headers: Mapping[str, str]) -> Any:
    """Parse a body that must be JSON.

    Raises
    ------
    UnsupportedMediaType
        If it is not declared as uncompressed JSON in UTF-8.
    BodyTooLarge
        If it is over Lambda's limit.
    MalformedBody
        If it is not JSON, or an object in it has a duplicate name.
    """
    read_media_type(headers, (JSON,))
    return parse_json(read_text(body))


def read_media_type(headers: Mapping[str, str], accepted: tuple[str, ...]) -> str:
    """Return the media type of a body, one of `accepted`; the first is the default.

    Raises
    ------
    UnsupportedMediaType
        If the body is of another type, compressed, or not in UTF-8.
    """
    declared = headers.get("content-type", accepted[0])
    if declared in accepted and "content-encoding" not in headers:  # as most are
        return declared
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType(accepted)
    content_type, *parameters = declared.lower().split(";")
    content_type = content_type.strip()
    if content_type not in accepted:
        raise UnsupportedMediaType(accepted)
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(accepted)
    return content_type


def read_text(body: bytes | str) -> str:
    """Decode a body.

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
    """Parse JSON as RFC 8259 defines it: no NaN, and no duplicate names in an object.

    An integer of thousands of digits becomes an infinite float.

    Raises
    ------
    MalformedBody
        If it is not JSON, nested too deep, or an object in it has a duplicate name.
    BodyTooLarge
        If it has more than `MAX_CONTAINERS` lists and objects.
    """
    try:
        if _count("[", text) + _count("{", text) > MAX_CONTAINERS:
            _reject_containers(text)
        return _parse(text)
    except RecursionError:
        raise MalformedBody("The body is nested too deep.") from None
    except json.JSONDecodeError as error:
        # The decoder's own message may repeat the body; its position does not.
        position = f"line {error.lineno}, column {error.colno}"
        raise MalformedBody(f"The body is not JSON: see {position}.") from None


def _reject_containers(text: str) -> NoReturn:
    """Raise `RecursionError` if the text is nested too deep, else `BodyTooLarge`."""
    with suppress(json.JSONDecodeError):
        _DECODER.decode(text[:_DEPTH_PROBE_CHARACTERS])
    raise BodyTooLarge("A body", MAX_CONTAINERS, "lists and objects")


def _parse(text: str) -> Any:
    try:
        return _reject_duplicate_names(text, _DECODER)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer with more digits than Python converts
        return _reject_duplicate_names(text, _make_decoder(parse_int=float), parse_int=float)


def _reject_duplicate_names(text: str, decoder: json.JSONDecoder, **options: Any) -> Any:
    document = decoder.decode(text)
    # Each name has a colon. More colons than names are in strings, or after duplicate names: only
    # then is a slower decoder, which sees duplicates, worth its time.
    if _count(":", text) != _count_names(document, objects=_count("{", text)):
        _make_decoder(object_pairs_hook=_check_names, **options).decode(text)
    return document


def _count(character: str, text: str) -> int:
    """Count a character; a few in a long text are found ten times as fast as `str.count` does."""
    if len(text) > _LONG_TEXT_CHARACTERS:
        position = -1
        for count in range(_FEW):
            position = text.find(character, position + 1)
            if position < 0:
                return count
    return text.count(character)


def _count_names(document: Any, objects: int) -> int:
    """Count the names in all objects, level by level until as many objects are found."""
    names = 0
    level = [document] if isinstance(document, (dict, list)) else []
    while level and objects > 0:
        dicts = [node for node in level if type(node) is dict]
        names += sum(map(len, dicts))
        objects -= len(dicts)
        if objects > 0:
            children = (node.values() if type(node) is dict else node for node in level)
            level = [n for nodes in children for n in nodes if type(n) is dict or type(n) is list]
    return names


def _make_decoder(**options: Any) -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_reject_constant, **options)


def _reject_constant(name: str) -> NoReturn:
    raise MalformedBody(f"The body is not JSON: {name} is not a JSON number.")


def _check_names(members: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in members}) != len(members):
        raise MalformedBody("The body has an object with the same name twice.")


_DECODER = _make_decoder()
