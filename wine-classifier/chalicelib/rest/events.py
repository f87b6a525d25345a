"""What API Gateway hands over: events, read so that whatever one holds is a request or an error."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from chalice.app import Blueprint, Chalice

from chalicelib.errors import MalformedBody
from chalicelib.rest.responses import error_response

_PARAMETER = re.compile(r"{(\w+)}")


class StrictChalice(Chalice):
    """A Chalice app that answers every event, where Chalice trusts it to be complete."""

    def __call__(self, event: object, context: object) -> dict[str, Any]:
        """Answer an event.

        Parameters
        ----------
        event : object
            What Lambda was called with: a request of a REST API, if all is well.
        context : object
            What Lambda tells of the call.

        Returns
        -------
        dict
            The response, as API Gateway takes it.
        """
        request = _normalize_event(event)
        if request is None:
            error = MalformedBody("The event is no request of a REST API of API Gateway.")
            answer: dict[str, Any] = error_response(error).to_dict()
        else:
            if request["requestContext"]["resourcePath"] not in self.routes:
                # There `app.py` serves what tells that nothing is.
                request["requestContext"]["resourcePath"] = "/"
            answer = super().__call__(request, context)
        return answer


class RawRequest(NamedTuple):
    """What a client sent.

    Parameters
    ----------
    body : bytes
        Empty if there was none.
    headers : mapping of str to str
        Found whatever their case. A header that was sent twice holds both values, with a comma.
    """

    body: bytes
    headers: Mapping[str, str]


def read_request(app: Chalice | Blueprint) -> RawRequest:
    """Give what the client of the current request sent.

    Parameters
    ----------
    app : chalice.app.Chalice or chalice.app.Blueprint
        The app, or a part of it, in one of its routes.

    Returns
    -------
    RawRequest

    Raises
    ------
    MalformedBody
        If the event holds no bytes: text that UTF-8 cannot encode, or broken base64.
    """
    request = app.current_request
    assert request is not None  # Chalice calls a route for a request only
    return RawRequest(_body(request.to_original_event()), request.headers)


def _body(event: dict[str, Any]) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, (str, bytes)):
        raise MalformedBody("The event's body is not text.")
    try:
        if event.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return body if isinstance(body, bytes) else body.encode()
    except UnicodeEncodeError:
        raise MalformedBody("The body is not UTF-8.") from None
    except ValueError:
        raise MalformedBody("The body is not base64, as the event says that it is.") from None


def _normalize_event(event: object) -> dict[str, Any] | None:
    """Give an event with all that Chalice looks for, or None if it is no request."""
    request = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(request, dict):
        return None
    method, path = request.get("httpMethod"), request.get("resourcePath")
    if not isinstance(method, str) or not isinstance(path, str):
        return None
    return event | {
        "requestContext": request.copy(),
        "headers": _headers(event),
        "pathParameters": _parameters(path, event.get("pathParameters")),
        "multiValueQueryStringParameters": None,  # nothing that is served has a query
        "stageVariables": None,
        "body": event.get("body"),
    }


def _headers(event: dict[str, Any]) -> dict[str, str]:
    """Give the headers by their names in lower case; those that came twice joined, as HTTP says."""
    sent = event.get("multiValueHeaders")
    if not isinstance(sent, dict) or not sent:
        single = event.get("headers")
        sent = {name: [single[name]] for name in single} if isinstance(single, dict) else {}
    headers: dict[str, str] = {}
    for name, values in sent.items():
        name = name.lower()
        for value in values if isinstance(values, list) else []:
            if isinstance(value, str):
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _parameters(path: str, sent: object) -> dict[str, str]:
    """Give a value for each parameter in a path; an empty one is the name of nothing."""
    values = sent if isinstance(sent, dict) else {}
    return {name: str(values.get(name, "")) for name in _PARAMETER.findall(path)}
