"""A proxy for an S3 server that injects the faults of S3 and of networks."""

from __future__ import annotations

import http.client
import http.server
import socket
import threading
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

UNFORWARDED_HEADERS = {"connection", "transfer-encoding", "date", "server"}


class LoggedRequest(NamedTuple):
    """A request with its response, from S3 or from a fault."""

    method: str
    path: str
    is_conditional: bool
    status: int
    body_bytes: int


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.proxy.fault
        if fault is None:
            self.forward(body)
        else:
            fault(self)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_request  # noqa: N815

    def forward(self, body: bytes) -> None:
        upstream = http.client.HTTPConnection(self.server.proxy.upstream)
        upstream.request(self.command, self.path, body, dict(self.headers))
        response = upstream.getresponse()
        content = response.read()
        upstream.close()
        unforwarded = UNFORWARDED_HEADERS
        if self.command != "HEAD":
            unforwarded = unforwarded | {"content-length"}
        headers = {k: v for k, v in response.getheaders() if k.lower() not in unforwarded}
        self.respond(response.status, content, headers)

    def respond(self, status: int, body: bytes, headers: dict[str, str], cut: int = 0) -> None:
        """Send a response; with `cut`, drop that many bytes of the body and disconnect."""
        is_conditional = "If-None-Match" in self.headers
        request = LoggedRequest(self.command, self.path, is_conditional, status, len(body))
        self.server.proxy.requests.append(request)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) - cut])
        self.close_connection = self.close_connection or cut > 0

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, proxy: FaultProxy) -> None:
        self.proxy = proxy
        self.connections: list[socket.socket] = []
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self.connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, *_: object) -> None:
        """Ignore disconnects, which some faults provoke."""


Fault = Callable[[_Handler], None]


class FaultProxy:
    """Forwards requests to an S3 server while `fault` is None."""

    def __init__(self, endpoint: str) -> None:
        self.upstream = urlsplit(endpoint).netloc
        self.fault: Fault | None = None
        self.requests: list[LoggedRequest] = []
        self._healed = threading.Event()
        self._server: _Server | None = None
        self.port = 0
        self.listen()

    @property
    def url(self) -> str:
        """The address; it is the same after a restart."""
        return f"http://127.0.0.1:{self.port}"

    def listen(self) -> None:
        """Accept connections."""
        self._server = _Server(self.port, self)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def refuse_connections(self) -> None:
        """Close every connection and the listening socket."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        for connection in self._server.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # already closed
        self._server = None

    def hang(self) -> None:
        """Leave requests without a response."""
        self._healed.clear()
        self.fault = lambda handler: self._wait_and_disconnect(handler)

    def _wait_and_disconnect(self, handler: _Handler) -> None:
        self._healed.wait(60)
        handler.close_connection = True

    def respond_with(self, status: int, code: str) -> None:
        """Respond with one of S3's errors."""
        body = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
        self.fault = lambda handler: handler.respond(
            status, body, {"Content-Type": "application/xml"}
        )

    def cut_short(self, body: bytes) -> None:
        """Disconnect in the middle of a response body."""
        headers = {"ETag": '"cut"', "Last-Modified": "Sun, 01 Nov 2026 00:00:00 GMT"}
        self.fault = lambda handler: handler.respond(200, body, headers, cut=len(body) // 2)

    def heal(self) -> None:
        """Forward requests again."""
        self.fault = None
        self._healed.set()
        if self._server is None:
            self.listen()
