"""The events of Lambda's front doors, as AWS documents them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

HOST = "abc123.lambda-url.eu-central-1.on.aws"

Headers = Sequence[tuple[str, str]]
MakeEvent = Callable[[str, str, Headers, bytes], dict[str, Any]]


class FrontDoor(NamedTuple):
    """A front door: what it sends to a function for a request."""

    name: str
    make_event: MakeEvent
    has_multi_value_headers: bool = False


def _body(body: bytes, *, is_binary: bool) -> dict[str, Any]:
    if is_binary:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return {"body": body.decode() or None, "isBase64Encoded": False}


def _is_binary(headers: Headers, body: bytes) -> bool:
    """Return whether a front door that goes by the Content-Type passes a body as base64."""
    types = [value for name, value in headers if name.lower() == "content-type"]
    if any(not value.startswith(("text/", "application/json")) for value in types) or not types:
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return True
    return False


def _lower(headers: Headers) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _payload_2(
    method: str, path: str, headers: Headers, body: bytes, *, stage: str, prefix: str = ""
) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": prefix + path,
        "rawQueryString": query,
        "headers": {"host": HOST, **_lower(headers)},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abc123",
            "domainName": HOST,
            "http": {
                "method": method,
                "path": prefix + path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": stage,
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238000,
        },
        **_body(body, is_binary=_is_binary(headers, body)),
    }


def function_url(method: str, path: str, headers: Headers, body: bytes) -> dict[str, Any]:
    """Return the event of a function URL."""
    return _payload_2(method, path, headers, body, stage="$default")


def http_api(method: str, path: str, headers: Headers, body: bytes) -> dict[str, Any]:
    """Return the event of an HTTP API with a stage in its paths."""
    return _payload_2(method, path, headers, body, stage="Prod", prefix="/Prod")


def _load_balancer(method: str, path: str, body: dict[str, Any], headers: Any) -> dict[str, Any]:
    path, _, _ = path.partition("?")
    group = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/x/1"
    return {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": method,
        "path": path,
        **headers,
        **(body if body["body"] is not None else {"body": "", "isBase64Encoded": False}),
    }


def load_balancer(method: str, path: str, headers: Headers, body: bytes) -> dict[str, Any]:
    """Return the event of a load balancer: of a repeated header, only the last value."""
    single = {name.lower(): value for name, value in headers}
    fields = {"queryStringParameters": {}, "headers": single}
    is_binary = _is_binary(headers, body)
    return _load_balancer(method, path, _body(body, is_binary=is_binary), fields)


def load_balancer_multi(method: str, path: str, headers: Headers, body: bytes) -> dict[str, Any]:
    """Return the event of a load balancer whose target group has multi value headers."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value)
    fields = {"multiValueQueryStringParameters": {}, "multiValueHeaders": values}
    is_binary = _is_binary(headers, body)
    return _load_balancer(method, path, _body(body, is_binary=is_binary), fields)


FRONT_DOORS = [
    FrontDoor("function URL", function_url),
    FrontDoor("HTTP API", http_api),
    FrontDoor("load balancer", load_balancer),
    FrontDoor("load balancer, multi value", load_balancer_multi, has_multi_value_headers=True),
]
