"""Answers, and the one place that knows status codes."""

from __future__ import annotations

import json

from chalice.app import Response

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
from chalicelib.store.model_store import RETRY_AFTER_SECONDS, Health

STATUS: dict[type[ServingError], int] = {
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
    return headers, STATUS[type(error)]
