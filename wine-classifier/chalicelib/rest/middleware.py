"""Error handling around every view."""

from __future__ import annotations

import functools
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping

from chalice.app import Request, Response, RouteEntry

from chalicelib.errors import (
    BodyTooLarge,
    MethodNotAllowed,
    UnknownPath,
    UnsupportedMediaType,
)
from chalicelib.log import log_event
from chalicelib.rest.body import LAMBDA_PAYLOAD_BYTES
from chalicelib.rest.responses import STATUS, error_response, json_response

# What browsers ask with before a request to another origin; see `chalicelib.cors`.
PREFLIGHT = "OPTIONS"


def handle_errors(view: Callable[..., Response]) -> Callable[..., Response]:
    """Let a route answer in the one error shape, whatever is raised in it.

    Parameters
    ----------
    view : callable
        A route's function.

    Returns
    -------
    callable
        The same, raising nothing. A fault of ours is answered with a 500 that tells nothing, and
        logged as the type of the error and the places it went through, without any value.
    """

    @functools.wraps(view)
    def answered(*args: str, **kwargs: str) -> Response:
        try:
            return view(*args, **kwargs)
        except Exception as error:
            if type(error) in STATUS:
                return error_response(error)  # type: ignore[arg-type]
            places = traceback.extract_tb(sys.exc_info()[2])
            log_event(
                "internal error",
                error=type(error).__name__,
                at=[f"{os.path.basename(p.filename)}:{p.lineno} {p.name}" for p in places],
            )
            return _fault(500)

    return answered


def error_middleware(
    request: Request | None,
    get_response: Callable[[Request | None], Response],
    routes: Mapping[str, Mapping[str, RouteEntry]],
) -> Response:
    """Answer in the one error shape where it is Chalice that refuses a request, or Lambda would.

    Parameters
    ----------
    request : chalice.app.Request or None
        The request.
    get_response : callable
        What Chalice gives a middleware to call.
    routes : mapping
        The methods of each path that is served.

    Returns
    -------
    chalice.app.Response
    """
    response = get_response(request)
    if isinstance(response.body, str) and _is_too_large(response.body):
        unit = "bytes: ask about fewer samples at a time"
        return error_response(BodyTooLarge("An answer", LAMBDA_PAYLOAD_BYTES, unit))
    if not (isinstance(response.body, dict) and "Code" in response.body):
        return response
    if response.status_code == 405 and request is not None:
        methods = served(routes[request.path])
        return error_response(MethodNotAllowed(methods) if methods else UnknownPath())
    if response.status_code == 415:
        return error_response(UnsupportedMediaType())
    return _fault(response.status_code)


def served(methods: Mapping[str, RouteEntry]) -> list[str]:
    """Give the methods of a path that do something.

    Parameters
    ----------
    methods : mapping
        The methods of a path in `Chalice.routes`.

    Returns
    -------
    list of str
        Without `PREFLIGHT`; none where `not_found` is all that answers.
    """
    return sorted(
        method
        for method, entry in methods.items()
        if method != PREFLIGHT and entry.view_function is not not_found
    )


@handle_errors
def not_found(**_parts: str) -> Response:
    """Refuse a path that nothing is served at."""
    raise UnknownPath


def _is_too_large(body: str) -> bool:
    """Tell whether Lambda would not hand on an answer, which it writes as a string in JSON."""
    return 2 * len(body) > LAMBDA_PAYLOAD_BYTES and len(json.dumps(body)) > LAMBDA_PAYLOAD_BYTES


def _fault(status: int) -> Response:
    return json_response({"error": "The server failed; its log says where."}, status=status)
