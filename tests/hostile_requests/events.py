"""Malformed and unusual API Gateway events, and the status of the response to each."""

from __future__ import annotations

import base64
from typing import Any

BODY = '{"data":1}'
BASE64_BODY = base64.b64encode(BODY.encode()).decode()
JSON = {"Content-Type": "application/json"}
CONTEXT = {"httpMethod": "POST", "resourcePath": "/classify", "path": "/Prod/classify"}
INFER_CONTEXT = CONTEXT | {"resourcePath": "/v2/models/{model_name}/infer"}


def event(**fields: object) -> dict[str, Any]:
    """Return a valid classify event with some fields replaced."""
    valid = {
        "requestContext": CONTEXT,
        "headers": JSON,
        "multiValueHeaders": {name: [value] for name, value in JSON.items()},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": BODY,
        "isBase64Encoded": False,
    }
    return valid | fields


def without(*names: str) -> dict[str, Any]:
    """Return a valid event without some of its fields."""
    return {name: value for name, value in event().items() if name not in names}


def with_content_types(*types: str) -> dict[str, Any]:
    """Return a valid event with these Content-Type headers."""
    return event(headers={"content-type": types[-1]}, multiValueHeaders={"content-type": [*types]})


NOT_EVENTS: list[object] = [{}, [], "", "x", 0, None, True, [event()]]
INVALID_CONTEXTS: list[object] = [None, {}, [], "x"]
INVALID_BODIES: list[object] = [{"data": 1}, [1], 1, True]
INVALID_BASE64 = [
    "",
    "#",
    "eyJ",
    BASE64_BODY[:-3],
    f"{BASE64_BODY}!",
    f"={BASE64_BODY}",
    "é",
    "\ud800",
    "/" * 8,
]
INVALID_PATH_PARAMETERS: list[object] = [
    *(None, {}, [], "wine"),
    *({"model_name": None}, {"model_name": ["wine"]}, {"x": "wine"}),
]

EVENTS: list[tuple[int, object]] = [
    # Not requests of a REST API.
    *((400, value) for value in NOT_EVENTS),
    (400, without("requestContext")),
    *((400, event(requestContext=value)) for value in INVALID_CONTEXTS),
    (400, event(requestContext={"httpMethod": "POST"})),
    (400, event(requestContext={"resourcePath": "/classify"})),
    (400, event(requestContext=CONTEXT | {"httpMethod": None})),
    (400, event(requestContext=CONTEXT | {"resourcePath": ["/classify"]})),
    (400, {"version": "2.0", "rawPath": "/classify", "requestContext": {"http": {}}, "body": BODY}),
    (400, {"Records": [{"eventSource": "aws:s3", "s3": {}}]}),
    # Headers.
    (200, without("headers", "multiValueHeaders")),
    (200, without("headers")),
    (200, without("multiValueHeaders")),
    (200, event(headers=None, multiValueHeaders=None)),
    (200, event(headers=None)),
    (200, event(headers=[], multiValueHeaders="x")),
    (200, event(multiValueHeaders={})),
    (200, event(headers={"Content-Type": None}, multiValueHeaders=None)),
    (200, event(headers={"Content-Type": 3}, multiValueHeaders={"Content-Type": None})),
    (200, event(multiValueHeaders={"Content-Type": []})),
    (200, event(multiValueHeaders={"CONTENT-TYPE": ["application/json"]})),
    (415, event(headers={"Content-Type": "text/csv"}, multiValueHeaders=None)),
    (415, event(headers=None, multiValueHeaders={"content-type": ["text/csv"]})),
    (415, with_content_types("application/json", "text/csv")),
    (415, with_content_types("text/csv", "application/json")),
    (415, event(multiValueHeaders={"content-type": ["text/csv"], "Content-Type": [""]})),
    # Bodies.
    (400, without("body")),
    (400, event(body=None)),
    (400, event(body=None, isBase64Encoded=True)),
    (400, event(body="")),
    *((400, event(body=value)) for value in INVALID_BODIES),
    (400, event(body='{"data": "\ud800"}')),
    (200, without("isBase64Encoded")),
    (200, event(body=BASE64_BODY, isBase64Encoded=True)),
    (400, event(body=BASE64_BODY)),
    (400, event(body=BODY, isBase64Encoded=True)),
    *((400, event(body=value, isBase64Encoded=True)) for value in INVALID_BASE64),
    (400, event(body={"data": 1}, isBase64Encoded=True)),
    (400, event(body=base64.b64encode(b'{"data":"\xff"}').decode(), isBase64Encoded=True)),
    # Paths.
    (404, event(requestContext=CONTEXT | {"resourcePath": "/x/{proxy+}"})),
    (404, event(requestContext=CONTEXT | {"resourcePath": ""})),
    (404, event(requestContext=CONTEXT | {"resourcePath": "/{part1}"})),
    (404, event(requestContext=CONTEXT | {"resourcePath": "/x", "httpMethod": "TRACE"})),
    (405, event(requestContext=CONTEXT | {"httpMethod": ""})),
    (405, event(requestContext=CONTEXT | {"httpMethod": "post"})),
    *(
        (404, event(requestContext=INFER_CONTEXT, pathParameters=value))
        for value in INVALID_PATH_PARAMETERS
    ),
    # Fields that are never read.
    (200, event(multiValueQueryStringParameters={"data": "2"}, stageVariables=[1])),
    (200, without("multiValueQueryStringParameters", "pathParameters", "stageVariables")),
    (200, event(resource=None, path=3, httpMethod={}, queryStringParameters="x")),
]
