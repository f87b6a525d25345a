"""HTTP responses; the only module with status codes."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from chalice.app import Response

from chalicelib.errors import (
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
from chalicelib.inputs.signature import Signature
from chalicelib.record import current_record
from chalicelib.rest.body import LAMBDA_PAYLOAD_BYTES
from chalicelib.store.model_store import RETRY_AFTER_SECONDS, ModelStore

# Subclasses have the status of their base.
_STATUS: dict[type[ServingError], int] = {
    MalformedBody: 400,
    UnknownPath: 404,
    UnknownModel: 404,
    MethodNotAllowed: 405,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    InvalidRequest: 422,
    ModelUnavailable: 503,
}

# Why a request is rejected, by status, in one word for log and metrics.
_REJECTIONS = {
    400: "malformed",
    404: "unknown",
    405: "unsupported",
    413: "too_large",
    415: "unsupported",
    422: "invalid",
    503: "unavailable",
}

OCTET_STREAM = "application/octet-stream"
MAX_LISTED_FEATURES = 20  # in a header

# A prediction is of its moment and of one client's data: no cache keeps it. And no browser guesses
# that a response is of another type, such as a script.
_EVERY_RESPONSE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_JSON = {**_EVERY_RESPONSE, "Content-Type": "application/json"}

encode_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def json_response(
    body: object, headers: dict[str, str] | None = None, status: int = 200
) -> Response:
    """Return a response whose body is JSON."""
    return Response(encode_json(body), {**_JSON, **(headers or {})}, status)


def text_response(body: str, headers: dict[str, str]) -> Response:
    """Return a response with a body of another type; the headers hold its Content-Type."""
    return Response(body, {**_EVERY_RESPONSE, **headers})


def bytes_response(body: bytes, headers: dict[str, str]) -> Response:
    """Return a response whose body is bytes.

    Raises `BodyTooLarge` if it cannot be delivered: Lambda returns bytes as base64.
    """
    check_response_size(4 * len(body) // 3)
    return Response(body, {**_EVERY_RESPONSE, **headers, "Content-Type": OCTET_STREAM})


def lambda_response(response: Response) -> dict[str, Any]:
    """Return a response as Lambda delivers it: bytes are in base64."""
    result = {
        "headers": response.headers,
        "multiValueHeaders": {},
        "statusCode": response.status_code,
        "body": response.body,
    }
    if isinstance(response.body, bytes):
        from base64 import b64encode  # most responses are text

        result |= {"body": b64encode(response.body).decode(), "isBase64Encoded": True}
    return result


def check_response_size(characters: int) -> None:
    """Raise `BodyTooLarge` if a response of so many characters, or more, cannot be delivered.

    A model's labels may be long; the response is not built then.
    """
    if characters > LAMBDA_PAYLOAD_BYTES:
        raise response_too_large()


def check_label_size(labels: Sequence[str], signature: Signature, others: int = 0) -> None:
    """Raise `BodyTooLarge` if a response with these labels cannot be delivered.

    It has `others` further characters for each label. A few short labels are not counted.
    """
    if len(labels) * (signature.longest_class + others) > LAMBDA_PAYLOAD_BYTES:
        check_response_size(sum(map(len, labels)) + len(labels) * others)


def response_too_large() -> BodyTooLarge:
    """Return the error of a response that Lambda does not deliver."""
    return BodyTooLarge("A response", LAMBDA_PAYLOAD_BYTES, "bytes: send fewer samples at a time")


def prediction_headers(version: str, out_of_range: Sequence[str]) -> dict[str, str]:
    """Return the headers of a response with predictions.

    ``X-Out-Of-Range`` has up to `MAX_LISTED_FEATURES` names with commas between them, in percent
    encoding, as a name may hold a comma or characters that no header may.
    """
    headers = {"X-Model-Version": version}
    if out_of_range:
        headers["X-Out-Of-Range"] = ",".join(map(_encode_name, out_of_range[:MAX_LISTED_FEATURES]))
    return headers


@functools.lru_cache(maxsize=1_000)
def _encode_name(name: str) -> str:
    from urllib.parse import quote  # most samples need none

    return quote(name, safe=" ")


def health_response(models: ModelStore) -> Response:
    """Return the health of the service: 200 with a model, else 503 with an ``error`` too."""
    with suppress(ModelUnavailable):
        models.current()
    health = models.health()
    report: dict[str, object] = {
        "live": True,
        "ready": health.version is not None,
        "degraded": health.reason is not None,
        "since": health.since,
        "reason": health.reason,
        "version": health.version,
    }
    if health.version is not None:
        return json_response(report)
    error = ModelUnavailable(health.reason or "internal error", RETRY_AFTER_SECONDS)
    return _with_status({"error": str(error), **report}, error)


def rejection_kind(status: int) -> str | None:
    """Return why a request with this status was rejected; None if it was not."""
    return None if status < 400 else _REJECTIONS.get(status, "internal")


def error_response(error: ServingError) -> Response:
    """Return ``{"error": "a sentence"}``, with ``"problems"`` if the request has some.

    Raises the error itself if it has no status: it is not meant for clients.
    """
    body: dict[str, object] = {"error": str(error)}
    if isinstance(error, InvalidRequest):
        body["problems"] = [problem._asdict() for problem in error.problems]
        current_record().problem_kinds = sorted({problem.kind for problem in error.problems})
    return _with_status(body, error)


def internal_error_response() -> Response:
    """Return an error that tells clients nothing; the log has the details."""
    return json_response({"error": "Internal server error: see the function's log."}, status=500)


def _with_status(body: dict[str, object], error: ServingError) -> Response:
    status = next((_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS), None)
    if status is None:
        raise error
    headers = {}
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    elif isinstance(error, ModelUnavailable):
        headers["Retry-After"] = str(error.retry_after)
    return json_response(body, headers, status)
