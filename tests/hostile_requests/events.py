"""Events that API Gateway would not send, or only on a bad day, for the function to answer."""

from __future__ import annotations

import base64
from typing import Any

BODY = '{"data":1}'
ENCODED = base64.b64encode(BODY.encode()).decode()
JSON = {"Content-Type": "application/json"}
CONTEXT = {"httpMethod": "POST", "resourcePath": "/classify", "path": "/Prod/classify"}
V2 = CONTEXT | {"resourcePath": "/v2/models/{model_name}/infer"}


def event(**parts: object) -> dict[str, Any]:
    """Write an event; of a good one that classifies, these parts are other."""
    good = {
        "requestContext": CONTEXT,
        "headers": JSON,
        "multiValueHeaders": {name: [value] for name, value in JSON.items()},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": BODY,
        "isBase64Encoded": False,
    }
    return good | parts


def without(*names: str) -> dict[str, Any]:
    """Leave parts of a good event out."""
    return {name: value for name, value in event().items() if name not in names}


def sent_as(*types: str) -> dict[str, Any]:
    """Write an event with these content types."""
    return event(headers={"content-type": types[-1]}, multiValueHeaders={"content-type": [*types]})


NO_EVENTS: list[object] = [{}, [], "", "x", 0, None, True, [event()]]
NO_CONTEXTS: list[object] = [None, {}, [], "x"]
NO_TEXTS: list[object] = [{"data": 1}, [1], 1, True]
NO_BASE64 = ["", "#", "eyJ", ENCODED[:-3], f"{ENCODED}!", f"={ENCODED}", "é", "\ud800", "/" * 8]
NO_PARAMETERS: list[object] = [
    *(None, {}, [], "wine"),
    *({"model_name": None}, {"model_name": ["wine"]}, {"x": "wine"}),
]

EVENTS: list[tuple[int, object]] = [
    # What is no request of a REST API.
    *((400, sent) for sent in NO_EVENTS),
    (400, without("requestContext")),
    *((400, event(requestContext=sent)) for sent in NO_CONTEXTS),
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
    (415, sent_as("application/json", "text/csv")),
    (415, sent_as("text/csv", "application/json")),
    (415, event(multiValueHeaders={"content-type": ["text/csv"], "Content-Type": [""]})),
    # Bodies.
    (400, without("body")),
    (400, event(body=None)),
    (400, event(body=None, isBase64Encoded=True)),
    (400, event(body="")),
    *((400, event(body=sent)) for sent in NO_TEXTS),
    (400, event(body='{"data": "\ud800"}')),
    (200, without("isBase64Encoded")),
    (200, event(body=ENCODED, isBase64Encoded=True)),
    (400, event(body=ENCODED)),
    (400, event(body=BODY, isBase64Encoded=True)),
    *((400, event(body=sent, isBase64Encoded=True)) for sent in NO_BASE64),
    (400, event(body={"data": 1}, isBase64Encoded=True)),
    (400, event(body=base64.b64encode(b'{"data":"\xff"}').decode(), isBase64Encoded=True)),
    # Paths.
    (404, event(requestContext=CONTEXT | {"resourcePath": "/x/{proxy+}"})),
    (404, event(requestContext=CONTEXT | {"resourcePath": ""})),
    (404, event(requestContext=CONTEXT | {"resourcePath": "/{part1}"})),
    (404, event(requestContext=CONTEXT | {"resourcePath": "/x", "httpMethod": "TRACE"})),
    (405, event(requestContext=CONTEXT | {"httpMethod": ""})),
    (405, event(requestContext=CONTEXT | {"httpMethod": "post"})),
    *((404, event(requestContext=V2, pathParameters=sent)) for sent in NO_PARAMETERS),
    # What is never read.
    (200, event(multiValueQueryStringParameters={"data": "2"}, stageVariables=[1])),
    (200, without("multiValueQueryStringParameters", "pathParameters", "stageVariables")),
    (200, event(resource=None, path=3, httpMethod={}, queryStringParameters="x")),
]
