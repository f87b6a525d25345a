"""The events that API Gateway sends to a function, and the function's responses."""

from __future__ import annotations

from typing import Any, NamedTuple


class Response(NamedTuple):
    """A function's response to an event of API Gateway."""

    status: int
    headers: dict[str, str]
    body: Any  # parsed JSON


def api_gateway_event(
    method: str, path: str, body: bytes | str | None = None, resource: str | None = None
) -> dict[str, Any]:
    """Return a REST API's event for a request (Lambda proxy integration).

    Parameters
    ----------
    method, path : str
        The request line.
    body : bytes or str, optional
        The request body, as JSON.
    resource : str, optional
        The matching route (default: the path).
    """
    route = resource or path
    segments = zip(route.split("/"), path.split("/"), strict=True)
    parameters = {name[1:-1]: value for name, value in segments if name.startswith("{")}
    headers = {"Accept": "*/*", "Content-Type": "application/json", "Host": "api.example"}
    return {
        "resource": route,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": route,
            "httpMethod": method,
            "path": f"/Prod{path}",
            "stage": "Prod",
            "requestId": "00000000-0000-0000-0000-000000000000",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": body.decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": False,
    }
