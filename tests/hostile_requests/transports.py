"""The transports to the app: the Chalice test client, HTTP to `chalice local`, Lambda events."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any, Protocol

from chalice.local import RouteMatcher

from deployment.emulator.function import Function
from tests.hostile_requests.request import Request
from tests.support.app import App, Response
from tests.support.headers import assert_is_private

# The emulator, like Lambda, limits the whole event, not the body alone.
MAX_EVENT_BYTES = 6_000_000


class Transport(Protocol):
    """A way to send a request to the app."""

    def supports(self, request: Request, /) -> bool:
        """Check whether the transport can express a request."""

    def send(self, request: Request, /) -> Response:
        """Send a request; the response's body is parsed JSON, or None if it is empty."""


class TestClient:
    """The Chalice test client: methods in upper case, each header once."""

    __test__ = False

    def __init__(self, app: App) -> None:
        self._app = app

    @staticmethod
    def supports(request: Request) -> bool:
        """Accept upper-case methods without repeated headers."""
        names = [name for name, _ in request.headers]
        return request.method.isupper() and len(names) == len(set(names))

    def send(self, request: Request) -> Response:
        """Call the app in this process."""
        headers = dict(request.headers)
        response = self._app.send(request.method, request.path, request.content, headers)
        return response._replace(body=json.loads(response.body))


class HTTPClient:
    """A connection to `chalice local`."""

    def __init__(self, port: int) -> None:
        self._port = port

    @staticmethod
    def supports(_request: Request) -> bool:
        """Accept every request."""
        return True

    def send(self, request: Request) -> Response:
        """Send the request line and headers exactly as they are."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.putrequest(
            request.method, request.path, skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers:
            connection.putheader(name, value.encode("latin-1"))
        connection.putheader("Content-Length", str(len(request.content)))
        connection.endheaders(request.content)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert_is_private(response.headers)
        return Response(response.status, dict(response.headers), json.loads(body) if body else None)


class LambdaEvents:
    """API Gateway events for a function on the Lambda emulator."""

    def __init__(self, function: Function, routes: RouteMatcher) -> None:
        self._function = function
        self._routes = routes

    def supports(self, request: Request) -> bool:
        """Accept requests that fit into an event."""
        return len(json.dumps(self._event(request))) < MAX_EVENT_BYTES

    def send(self, request: Request) -> Response:
        """Invoke the function with the request's event."""
        result = self._function.invoke(self._event(request))
        assert "statusCode" in result, f"{result}\n{self._function.log}"
        assert_is_private(result["headers"])
        return Response(result["statusCode"], result["headers"], json.loads(result["body"]))

    def _event(self, request: Request) -> dict[str, Any]:
        match = self._routes.match_route(request.path)
        path = request.path.partition("?")[0]
        headers: dict[str, list[str]] = {}
        for name, value in request.headers:
            headers.setdefault(name, []).append(value)
        try:
            body, is_base64 = request.content.decode(), False
        except UnicodeDecodeError:
            body, is_base64 = base64.b64encode(request.content).decode(), True
        return {
            "resource": match.route,
            "path": path,
            "httpMethod": request.method,
            "headers": {name: values[-1] for name, values in headers.items()},
            "multiValueHeaders": headers,
            "queryStringParameters": None,
            "multiValueQueryStringParameters": match.query_params or None,
            "pathParameters": match.captured or None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": match.route,
                "httpMethod": request.method,
                "path": f"/Prod{path}",
                "stage": "Prod",
            },
            "body": body or None,
            "isBase64Encoded": is_base64,
        }
