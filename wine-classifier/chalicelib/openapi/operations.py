"""Operations, bodies and answers, in the description of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.openapi.json_schema import Schema, ref

# The answer to each kind of error: its name in the description, and what it is given for.
ERRORS = {
    "400": ("Malformed", "The body is not JSON (or CSV) in UTF-8, or is nested too deep."),
    "404": ("UnknownModel", "No model of this name and version is served."),
    "413": ("TooLarge", "Too many samples, or a body or an answer over Lambda's limit."),
    "415": ("UnsupportedMediaType", "The body is of another media type, or compressed."),
    "422": ("Invalid", "The body is not what the model takes: all the problems at once."),
    "503": ("NoModel", "No model could be loaded; Retry-After says when to ask again."),
}
# Those that a request with a body may be given.
OF_A_BODY = ("400", "413", "415", "422", "503")
RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}


def operation(
    name: str,
    summary: str,
    tag: str,
    answer: dict[str, Any],
    errors: tuple[str, ...] = ("503",),
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe what a method does at a path.

    Parameters
    ----------
    name, summary, tag : str
        What it is called, and where it belongs.
    answer : dict
        What it answers if all is well.
    errors : tuple of str, optional
        The keys in `ERRORS` of what else it may answer.
    body : dict, optional
        What it reads.

    Returns
    -------
    dict
    """
    failures = {
        code: {"$ref": f"#/components/responses/{ERRORS[code][0]}"} for code in sorted(errors)
    }
    described: dict[str, Any] = {"operationId": name, "summary": summary, "tags": [tag]}
    if body is not None:
        described["requestBody"] = body
    return described | {"responses": {"200": answer, **failures}}


def health_operation(name: str, summary: str, tag: str) -> dict[str, Any]:
    """Describe a question after the health of the service.

    Parameters
    ----------
    name, summary, tag : str
        See `operation`.

    Returns
    -------
    dict
    """
    described = operation(name, summary, tag, answer_with("There is a model.", ref("Health")))
    text = "There is no model: what /health says, and the error."
    described["responses"]["503"] = answer_with(text, ref("NotReady"), headers=RETRY_AFTER)
    return described


def answer_with(
    description: str, schema: Schema, headers: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Describe an answer in JSON.

    Parameters
    ----------
    description : str
        What it means.
    schema : dict
        What it holds.
    headers : dict, optional
        What its headers tell.

    Returns
    -------
    dict
    """
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": schema}},
    }
    return answer if headers is None else answer | {"headers": headers}


def body_of(media_type: str, schema: Schema, examples: Mapping[str, object]) -> dict[str, Any]:
    """Describe the body of a request.

    Parameters
    ----------
    media_type : str
        What it is sent as.
    schema : dict
        What it holds.
    examples : mapping
        Bodies that are answered, by what each shows.

    Returns
    -------
    dict
    """
    values = {name: {"value": value} for name, value in examples.items()}
    return {"required": True, "content": {media_type: {"schema": schema, "examples": values}}}
