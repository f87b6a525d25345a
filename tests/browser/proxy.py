"""A proxy that serves an API under a path prefix, closed as a stage of API Gateway is."""

from __future__ import annotations

import functools
import http.client
import http.server
import threading
from collections.abc import Callable
from contextlib import closing
from email.message import Message

from deployment import access
from deployment.sam_template import read_overlay
from tests.support.paths import APP

PREFIX = "/stage"
Response = tuple[int, bytes, dict[str, str]]
_UNFORWARDED = {"connection", "transfer-encoding", "content-length", "date", "server"}


class PrefixProxy:
    """Strips `PREFIX` from paths, and rejects what API Gateway rejects, as the template says.

    Parameters
    ----------
    port : int
        Of the API's server.
    auth : {"key", "iam", "none"}
        Who may send requests. No signature is accepted.
    key : str, optional
        The API key.
    """

    def __init__(self, port: int, auth: str = access.PUBLIC, key: str | None = None) -> None:
        gate = functools.partial(reject, auth=auth, key=key)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(port, gate))
        self.url = f"http://127.0.0.1:{self._server.server_port}{PREFIX}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """Stop the proxy."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def reject(path: str, method: str, headers: Message, auth: str, key: str | None) -> Response | None:
    """Return what API Gateway responds to a request without the right key or signature, if so."""
    if auth == access.PUBLIC or access.is_open(path, method):
        return None
    if auth == access.KEY and headers["X-Api-Key"] == key:
        return None
    kind = "INVALID_API_KEY" if auth == access.KEY else "MISSING_AUTHENTICATION_TOKEN"
    overlay = read_overlay(APP / ".chalice", "prod", auth=auth)
    response = overlay["Resources"]["RestAPI"]["Properties"]["GatewayResponses"][kind]
    sent = {
        name: value.strip("'") for name, value in response["ResponseParameters"]["Headers"].items()
    }
    [(media_type, body)] = response["ResponseTemplates"].items()
    return int(response["StatusCode"]), body.encode(), sent | {"Content-Type": media_type}


def _handler(
    port: int, gate: Callable[..., Response | None]
) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.removeprefix(PREFIX)
            if path == self.path:
                self._respond(404, b"{}", {"Content-Type": "application/json"})
            elif rejection := gate(path or "/", self.command, self.headers):
                self._respond(*rejection)
            else:
                with closing(http.client.HTTPConnection("127.0.0.1", port)) as upstream:
                    upstream.request(self.command, path or "/", body, dict(self.headers))
                    response = upstream.getresponse()
                    self._respond(response.status, response.read(), dict(response.getheaders()))

        do_POST = do_OPTIONS = do_GET  # noqa: N815

        def _respond(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _UNFORWARDED:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler
