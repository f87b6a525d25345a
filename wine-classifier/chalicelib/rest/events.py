"""Normalize Lambda events: a request, or an error, whatever an event lacks."""

from __future__ import annotations

import binascii
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint, Chalice, Request

from chalicelib.errors import MalformedBody
from chalicelib.monitoring.request_log import RequestLog
from chalicelib.named_tuple import NamedTuple
from chalicelib.record import begin_record
from chalicelib.rest.cors import allow_origin
from chalicelib.rest.middleware import call_view, is_direct
from chalicelib.rest.responses import error_response, lambda_response, rejection_kind
from chalicelib.service import Service

if TYPE_CHECKING:
    from chalicelib.rest.front_doors import Translated

# A path of the route that responds to unknown paths.
NOT_FOUND_PATH = "/{part1}"

# The header with the id of a request, which is also in the log.
REQUEST_ID = "X-Request-Id"

_LAMBDA_ID = re.compile(r"[0-9a-fA-F-]{1,64}")
_PATH_PARAMETER = re.compile(r"{(\w+)}")


class StrictChalice(Chalice):
    """A Chalice app that responds to every event; Chalice itself requires complete ones.

    It calls the views of `handle_errors` itself: what Chalice does around one, such as comparing
    content types, they do themselves or do not need. Chalice calls other views, and all of them if
    the app has middleware.
    """

    def __init__(self, app_name: str, service: Service) -> None:
        super().__init__(app_name=app_name)
        self._service = service
        self.request_log = RequestLog(app_name)
        self._routes: list[str] | None = None

    def __call__(self, event: object, context: object) -> dict[str, Any]:
        """Return the response to a Lambda event, in its sender's format, and log the request."""
        record = begin_record(_request_id(context))
        try:
            request = _normalize_event(event)
            other = None if request is not None else self._translate(event)
            if other is not None:
                request = _normalize_event(other.event)
            if request is None:
                error = MalformedBody("The event is not a request to an API, URL or load balancer.")
                response = lambda_response(error_response(error))
            else:
                record.method, record.route = self._match_route(request)
                response = self._respond(request, context)
            response["headers"][REQUEST_ID] = record.request_id
            record.status = response["statusCode"]
            if other is not None:
                response = other.adapt_response(response)
        finally:
            record.kind = rejection_kind(record.status)
            self.request_log.write(record)
            record.observed = None  # until the next request, only memory
        return response

    def _respond(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        self.lambda_context = context
        self.current_request = request = Request(event, context)
        views = self.routes[request.path]
        if self.middleware_handlers or not is_direct(request, views):
            response = super().__call__(event, context)
        else:
            response = lambda_response(call_view(request, views))
        allow_origin(request, response["headers"], self._service)
        return response

    def _translate(self, event: object) -> Translated | None:
        """Translate an event that is not a REST API's."""
        from chalicelib.rest.front_doors import translate  # only stacks without a REST API need it

        if self._routes is None:
            self._routes = sorted(self.routes, key=lambda route: route.count("{"))
        return translate(event, self._routes)

    def _match_route(self, request: dict[str, Any]) -> tuple[str, str]:
        """Return method and route of a request; an unknown path gets the not-found route."""
        context = request["requestContext"]
        if context["resourcePath"] not in self.routes:
            context["resourcePath"] = NOT_FOUND_PATH
            request["pathParameters"] = _path_parameters(NOT_FOUND_PATH, None)
        return context["httpMethod"], context["resourcePath"]


class RawRequest(NamedTuple):
    """Body and headers of a request.

    Parameters
    ----------
    body : bytes
    headers : mapping of str to str
        By lower-case name. Repeated headers are joined by commas.
    """

    body: bytes
    headers: Mapping[str, str]


def read_request(app: Chalice | Blueprint) -> RawRequest:
    """Return the current request of an app or blueprint; raises `MalformedBody`."""
    request = app.current_request
    assert request is not None  # views run within a request only
    event = request.to_original_event()
    return RawRequest(_decode_body(event), event["headers"])


def _request_id(context: object) -> str:
    """Return Lambda's id of a call, which is also in Lambda's own lines of the log."""
    request_id = getattr(context, "aws_request_id", None)
    if isinstance(request_id, str) and _LAMBDA_ID.fullmatch(request_id):
        return request_id
    return os.urandom(16).hex()


def _decode_body(event: dict[str, Any]) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, (str, bytes)):
        raise MalformedBody("The event's body is not text.")
    try:
        if event.get("isBase64Encoded"):
            return binascii.a2b_base64(body, strict_mode=True)
        return body if isinstance(body, bytes) else body.encode()
    except UnicodeEncodeError:
        raise MalformedBody("The body is not UTF-8.") from None
    except ValueError:
        raise MalformedBody("The body is not base64, but the event declares it to be.") from None


def _normalize_event(event: object) -> dict[str, Any] | None:
    """Return a copy of an event with every field that Chalice reads; None if it is no request."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(context, dict):
        return None
    method, path = context.get("httpMethod"), context.get("resourcePath")
    if not isinstance(method, str) or not isinstance(path, str):
        return None
    return event | {
        "requestContext": context.copy(),
        "headers": _join_headers(event),
        "pathParameters": _path_parameters(path, event.get("pathParameters")),
        "multiValueQueryStringParameters": _read_query(event),
        "stageVariables": None,
        "body": event.get("body"),
    }


def _join_headers(event: dict[str, Any]) -> dict[str, str]:
    """Return headers by lower-case name; repeated ones are joined, as RFC 9110 allows."""
    headers: dict[str, str] = {}
    for name, values in _multi_value(event, "multiValueHeaders", "headers").items():
        name = name.lower()
        for value in values if isinstance(values, list) else []:
            if isinstance(value, str):
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _read_query(event: dict[str, Any]) -> dict[str, list[str]] | None:
    """Return the values of each parameter of the query, for views that someone adds."""
    query = _multi_value(event, "multiValueQueryStringParameters", "queryStringParameters")
    return {
        name: [value for value in values if isinstance(value, str)]
        for name, values in query.items()
        if isinstance(values, list)
    } or None


def _multi_value(event: dict[str, Any], name: str, single_name: str) -> dict[str, Any]:
    """Return a member of an event that has lists of values, or makes them of single ones."""
    multi = event.get(name)
    if isinstance(multi, dict) and multi:
        return multi
    single = event.get(single_name)
    return {key: [single[key]] for key in single} if isinstance(single, dict) else {}


def _path_parameters(path: str, values: object) -> dict[str, str]:
    """Return a value for each parameter in a path; empty if the event has none."""
    known = values if isinstance(values, dict) else {}
    return {name: str(known.get(name, "")) for name in _PATH_PARAMETER.findall(path)}
