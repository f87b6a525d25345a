"""The ways in to the app: the Chalice test client, `chalice local`, and events of a function."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any, Protocol

from chalice.local import RouteMatcher

from deployment.emulator.function import Function
from tests.hostile_requests.request import Request
from tests.support.app import App, Response

# What the emulator takes, as Lambda does, holds more than the body.
EVENT_BYTES = 6_000_000


class WayIn(Protocol):
    """A way in."""

    def takes(self, request: Request, /) -> bool:
        """Tell whether a request can be made this way."""

    def send(self, request: Request, /) -> Response:
        """Send it; the answer's body is what its JSON holds, or None if it has none."""


class TestClient:
    """The Chalice test client, which knows methods in upper case and each header once."""

    __test__ = False

    def __init__(self, app: App) -> None:
        self._app = app

    @staticmethod
    def takes(request: Request) -> bool:
        """All but what it cannot say."""
        names = [name for name, _ in request.headers]
        return request.method.isupper() and len(names) == len(set(names))

    def send(self, request: Request) -> Response:
        """Call the app."""
        headers = dict(request.headers)
        answer = self._app.send(request.method, request.path, request.sent, headers)
        return answer._replace(body=json.loads(answer.body))


class Socket:
    """A server on this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    @staticmethod
    def takes(_request: Request) -> bool:
        """All of HTTP."""
        return True

    def send(self, request: Request) -> Response:
        """Write the request as it is, without a client's own idea of what is right."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.putrequest(
            request.method, request.path, skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers:
            connection.putheader(name, value.encode("latin-1"))
        connection.putheader("Content-Length", str(len(request.sent)))
        connection.endheaders(request.sent)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return Response(response.status, dict(response.headers), json.loads(body) if body else None)


class Events:
    """A function, called as API Gateway calls it."""

    def __init__(self, function: Function, routes: RouteMatcher) -> None:
        self._function = function
        self._routes = routes

    def takes(self, request: Request) -> bool:
        """What fits into an event."""
        return len(json.dumps(self._event(request))) < EVENT_BYTES

    def send(self, request: Request) -> Response:
        """Call the function."""
        answer = self._function.invoke(self._event(request))
        assert "statusCode" in answer, f"{answer}\n{self._function.log}"
        return Response(answer["statusCode"], answer["headers"], json.loads(answer["body"]))

    def _event(self, request: Request) -> dict[str, Any]:
        found = self._routes.match_route(request.path)
        path = request.path.partition("?")[0]
        lists: dict[str, list[str]] = {}
        for name, value in request.headers:
            lists.setdefault(name, []).append(value)
        try:
            body, is_base64 = request.sent.decode(), False
        except UnicodeDecodeError:
            body, is_base64 = base64.b64encode(request.sent).decode(), True
        return {
            "resource": found.route,
            "path": path,
            "httpMethod": request.method,
            "headers": {name: values[-1] for name, values in lists.items()},
            "multiValueHeaders": lists,
            "queryStringParameters": None,
            "multiValueQueryStringParameters": found.query_params or None,
            "pathParameters": found.captured or None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": found.route,
                "httpMethod": request.method,
                "path": f"/Prod{path}",
                "stage": "Prod",
            },
            "body": body or None,
            "isBase64Encoded": is_base64,
        }
