"""Answers, and the one place that knows status codes."""

from __future__ import annotations

import functools
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping

from chalice.app import Request, Response, RouteEntry

from chalicelib.errors import (
    BinaryTensors,
    BodyTooLarge,
    InvalidRequest,
    MalformedBody,
    MethodNotAllowed,
    ModelUnavailable,
    ServingError,
    UnknownModel,
    UnknownPath,
    UnsupportedMediaType,
)
from chalicelib.json_body import LAMBDA_PAYLOAD_BYTES
from chalicelib.log import log_event
from chalicelib.model_store import RETRY_AFTER_SECONDS, Health

_STATUS: dict[type[ServingError], int] = {
    MalformedBody: 400,
    UnknownPath: 404,
    UnknownModel: 404,
    MethodNotAllowed: 405,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    BinaryTensors: 415,
    InvalidRequest: 422,
    ModelUnavailable: 503,
}


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)

# What browsers ask with before a request to another origin; see `chalicelib.cors`.
PREFLIGHT = "OPTIONS"


def json_response(
    body: object, headers: dict[str, str] | None = None, status: int = 200
) -> Response:
    """Make a response of something that JSON can hold.

    Parameters
    ----------
    body : object
        What to answer.
    headers : dict of str to str, optional
        Further headers.
    status : int, default=200
        The HTTP status.

    Returns
    -------
    chalice.app.Response
    """
    return Response(
        body=_ENCODER.encode(body),
        headers={"Content-Type": "application/json", **(headers or {})},
        status_code=status,
    )


def health_response(health: Health) -> Response:
    """Make the response to a question after the health of the service.

    Parameters
    ----------
    health : Health
        How the model store is.

    Returns
    -------
    chalice.app.Response
        A 503 if there is no model, with the ``error`` that other routes have then too.
    """
    report = {
        "live": True,
        "ready": health.version is not None,
        "degraded": health.reason is not None,
        "since": health.since,
        "reason": health.reason,
        "version": health.version,
    }
    if health.version is not None:
        return json_response(report)
    error = ModelUnavailable(health.reason or "unknown", RETRY_AFTER_SECONDS)
    return json_response({"error": str(error)} | report, *_as_http(error))


def error_response(error: ServingError) -> Response:
    """Make the response that an error is answered with.

    Parameters
    ----------
    error : ServingError
        What went wrong.

    Returns
    -------
    chalice.app.Response
        Its body is ``{"error": "a sentence"}``, with ``"problems"`` where a request has some.
    """
    body: dict[str, object] = {"error": str(error)}
    if isinstance(error, InvalidRequest):
        body["problems"] = [problem._asdict() for problem in error.problems]
    return json_response(body, *_as_http(error))


def _as_http(error: ServingError) -> tuple[dict[str, str], int]:
    """Give the headers and the status that belong to an error."""
    headers = {}
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    elif isinstance(error, ModelUnavailable):
        headers["Retry-After"] = str(error.retry_after)
    return headers, _STATUS[type(error)]


def answers_errors(view: Callable[..., Response]) -> Callable[..., Response]:
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
            if type(error) in _STATUS:
                return error_response(error)  # type: ignore[arg-type]
            places = traceback.extract_tb(sys.exc_info()[2])
            log_event(
                "unexpected error",
                error=type(error).__name__,
                at=[f"{os.path.basename(p.filename)}:{p.lineno} {p.name}" for p in places],
            )
            return _fault(500)

    return answered


def in_the_one_shape(
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
        Without `PREFLIGHT`; none where `unknown_path` is all that answers.
    """
    return sorted(
        method
        for method, entry in methods.items()
        if method != PREFLIGHT and entry.view_function is not unknown_path
    )


@answers_errors
def unknown_path(**_parts: str) -> Response:
    """Refuse a path that nothing is served at."""
    raise UnknownPath


def _is_too_large(body: str) -> bool:
    """Tell whether Lambda would not hand on an answer, which it writes as a string in JSON."""
    return 2 * len(body) > LAMBDA_PAYLOAD_BYTES and len(json.dumps(body)) > LAMBDA_PAYLOAD_BYTES


def _fault(status: int) -> Response:
    return json_response({"error": "The server failed; its log says where."}, status=status)
