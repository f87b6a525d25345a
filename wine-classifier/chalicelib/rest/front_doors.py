"""Lambda's other front doors: HTTP APIs, function URLs and application load balancers.

Their events become those of a REST API, which Chalice reads, and its responses theirs. Formats:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from chalicelib.named_tuple import NamedTuple

Event = dict[str, Any]


class Translated(NamedTuple):
    """An event in the format of a REST API, and what translates the response back."""

    event: Event
    adapt_response: Callable[[Event], Event]


def translate(event: object, routes: Iterable[str]) -> Translated | None:
    """Translate an event of another front door; None if it is of none of them.

    Parameters
    ----------
    event : object
        What Lambda calls the function with.
    routes : iterable of str
        The paths of the app, those with fewer parameters first where several match.
    """
    context = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(context, dict):
        return None
    if isinstance(context.get("elb"), dict):
        method, path = event.get("httpMethod"), event.get("path")
        adapt = _to_multi_value if event.get("multiValueHeaders") is not None else _to_single_value
    elif event.get("version") == "2.0" and isinstance(context.get("http"), dict):
        method, path = context["http"].get("method"), event.get("rawPath")
        path = _without_stage(path, context.get("stage"))
        adapt = _to_single_value
    else:
        return None
    if not isinstance(method, str) or not isinstance(path, str):
        return None
    route, parameters = match_route(path, routes)
    names = {"httpMethod": method, "resourcePath": route, "path": path}
    translated = event | {"requestContext": context | names, "pathParameters": parameters}
    return Translated(translated, adapt)


def match_route(path: str, routes: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Return the route of a path and its parameters; the path itself if it has no route."""
    parts = path.rstrip("/").split("/") if path != "/" else ["", ""]
    for route in routes:
        names = route.split("/")
        if len(names) == len(parts) and all(
            name == part or (name.startswith("{") and part)
            for name, part in zip(names, parts, strict=True)
        ):
            pairs = zip(names, parts, strict=True)
            return route, {name[1:-1]: part for name, part in pairs if name.startswith("{")}
    return path, {}


def _without_stage(path: object, stage: object) -> object:
    """Return a path without the stage of an HTTP API, which is its first part."""
    prefix = f"/{stage}"
    if isinstance(path, str) and (path == prefix or path.startswith(f"{prefix}/")):
        return path.removeprefix(prefix) or "/"
    return path


def _to_single_value(response: Event) -> Event:
    """Return a response without the field that only REST APIs and some load balancers know."""
    return {
        "statusCode": response["statusCode"],
        "headers": response["headers"],
        "body": response["body"],
        "isBase64Encoded": response.get("isBase64Encoded", False),
    }


def _to_multi_value(response: Event) -> Event:
    """Return a response whose headers have lists of values."""
    single = _to_single_value(response)
    headers = single.pop("headers")
    return single | {"multiValueHeaders": {name: [value] for name, value in headers.items()}}
