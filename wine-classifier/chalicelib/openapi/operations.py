"""The operations of the OpenAPI document: their request bodies, responses and errors.

The format: https://spec.openapis.org/oas/v3.1.1.html#operation-object
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.openapi.json_schema import TEXT, Schema, ref

# For each error status: the response's name in the components, and its description.
_ERRORS = {
    "400": ("Malformed", "The body is not JSON (or CSV) in UTF-8, or is nested too deeply."),
    "404": ("UnknownModel", "The server has no model of this name and version."),
    "413": ("TooLarge", "There are too many samples, or a body exceeds Lambda's limit."),
    "415": ("UnsupportedMediaType", "The body has an unsupported media type or is compressed."),
    "422": ("Invalid", "The model does not accept the body; the error lists all the problems."),
    "503": ("NoModel", "No model could be loaded; Retry-After has the seconds to wait."),
}
# The error statuses of every operation that reads a body.
BODY_ERRORS = ("400", "413", "415", "422", "503")

# The header of every response, which the components of the document describe.
_REQUEST_ID_HEADER = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}

_RETRY_AFTER_HEADER = {
    "Retry-After": {
        "description": "The seconds to wait before the next request.",
        "schema": {"type": "integer"},
    }
}


def get_operation(
    operation_id: str,
    summary: str,
    tag: str,
    description: str,
    schema: Schema,
    errors: tuple[str, ...] = ("503",),
) -> dict[str, Any]:
    """Describe a GET whose response is JSON; `errors` are the statuses of its error responses."""
    response = response_object(description, schema)
    return {"get": _operation(operation_id, summary, tag, response, errors)}


def health_operation(operation_id: str, summary: str, tag: str) -> dict[str, Any]:
    """Describe the GET of a health check, whose 503 holds the health as well as the error."""
    ready = response_object("A model is loaded.", ref("Health"))
    not_ready = response_object(
        "No model is loaded: the health and the error.", ref("NotReady"), _RETRY_AFTER_HEADER
    )
    operation = _operation(operation_id, summary, tag, ready, errors=())
    operation["responses"]["503"] = not_ready
    return {"get": operation}


def classify_operation(
    operation_id: str,
    tag: str,
    content: Mapping[str, dict[str, Any]],
    response: dict[str, Any],
    errors: tuple[str, ...] = BODY_ERRORS,
) -> dict[str, Any]:
    """Describe a POST that classifies samples; `content` has a schema for each media type."""
    operation = _operation(operation_id, "Classify samples", tag, response, errors)
    return {"post": operation | {"requestBody": {"required": True, "content": content}}}


def request_content(
    media_type: str, schema: Schema, examples: Mapping[str, object]
) -> dict[str, Any]:
    """Describe the content of a request body; `examples` are valid bodies by name."""
    values = {name: {"value": value} for name, value in examples.items()}
    return {media_type: {"schema": schema, "examples": values}}


def response_object(
    description: str, schema: Schema, headers: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Describe a response in JSON."""
    return {
        "description": description,
        "headers": {**_REQUEST_ID_HEADER, **(headers or {})},
        "content": {"application/json": {"schema": schema}},
    }


def header_components() -> dict[str, Any]:
    """Describe the headers that responses refer to."""
    return {"RequestId": {"description": "The id of the request in the log.", "schema": TEXT}}


def error_responses() -> dict[str, Any]:
    """Describe the error responses, which the operations refer to by name."""
    return {
        name: response_object(
            description, ref("Error"), _RETRY_AFTER_HEADER if status == "503" else None
        )
        for status, (name, description) in _ERRORS.items()
    }


def _operation(
    operation_id: str, summary: str, tag: str, response: dict[str, Any], errors: tuple[str, ...]
) -> dict[str, Any]:
    error_refs = {
        status: {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
        for status in sorted(errors)
    }
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": [tag],
        "responses": {"200": response, **error_refs},
    }
