"""What API Gateway sends to a function, and what it makes of the function's answer."""

from __future__ import annotations

from typing import Any, NamedTuple


class Response(NamedTuple):
    """What a function answered to an event of API Gateway.

    Parameters
    ----------
    status : int
        The HTTP status.
    headers : dict of str to str
        The response's headers.
    body : object
        What its JSON holds.
    """

    status: int
    headers: dict[str, str]
    body: Any


def api_gateway_event(
    method: str, path: str, body: bytes | str | None = None, resource: str | None = None
) -> dict[str, Any]:
    """Make the event that a REST API sends to a function (proxy integration).

    Parameters
    ----------
    method, path : str
        Of the request.
    body : bytes or str, optional
        Of the request; sent as JSON.
    resource : str, optional
        The route that the path matches, if that is another.

    Returns
    -------
    dict
    """
    route = resource or path
    parts = zip(route.split("/"), path.split("/"), strict=True)
    parameters = {name[1:-1]: part for name, part in parts if name.startswith("{")}
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
