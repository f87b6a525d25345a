"""A proxy in front of an S3 server that fails in the ways that S3 and networks do."""

from __future__ import annotations

import http.client
import http.server
import socket
import threading
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

NOT_PASSED_ON = {"connection", "transfer-encoding", "date", "server"}


class Passed(NamedTuple):
    """A request that was answered, by S3 or by a fault."""

    method: str
    path: str
    is_conditional: bool
    status: int
    body_bytes: int


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.proxy.fault
        if fault is None:
            self.forward(body)
        else:
            fault(self)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815

    def forward(self, body: bytes) -> None:
        upstream = http.client.HTTPConnection(self.server.proxy.upstream)
        upstream.request(self.command, self.path, body, dict(self.headers))
        response = upstream.getresponse()
        content = response.read()
        upstream.close()
        not_passed_on = NOT_PASSED_ON | (set() if self.command == "HEAD" else {"content-length"})
        headers = {k: v for k, v in response.getheaders() if k.lower() not in not_passed_on}
        self.answer(response.status, content, headers)

    def answer(self, status: int, body: bytes, headers: dict[str, str], cut: int = 0) -> None:
        """Answer; with `cut`, leave out the end of the body and hang up."""
        conditional = "If-None-Match" in self.headers
        passed = Passed(self.command, self.path, conditional, status, len(body))
        self.server.proxy.requests.append(passed)
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
        """Say nothing."""


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
        """A client that hangs up is what some faults are about."""


Fault = Callable[[_Handler], None]


class FaultProxy:
    """Passes requests on to an S3 server, as long as `fault` is None."""

    def __init__(self, endpoint: str) -> None:
        self.upstream = urlsplit(endpoint).netloc
        self.fault: Fault | None = None
        self.requests: list[Passed] = []
        self._healed = threading.Event()
        self._server: _Server | None = None
        self.port = 0
        self.listen()

    @property
    def url(self) -> str:
        """Its address, which stays the same when it stops listening and listens again."""
        return f"http://127.0.0.1:{self.port}"

    def listen(self) -> None:
        """Take connections."""
        self._server = _Server(self.port, self)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def refuse_connections(self) -> None:
        """Close every connection and take no more."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        for connection in self._server.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed already
        self._server = None

    def hang(self) -> None:
        """Let requests wait for an answer."""
        self._healed.clear()
        self.fault = lambda handler: self._wait_and_hang_up(handler)

    def _wait_and_hang_up(self, handler: _Handler) -> None:
        self._healed.wait(60)
        handler.close_connection = True

    def respond_with(self, status: int, code: str) -> None:
        """Answer with one of S3's errors."""
        body = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
        self.fault = lambda handler: handler.answer(
            status, body, {"Content-Type": "application/xml"}
        )

    def cut_short(self, body: bytes) -> None:
        """Begin to answer with a body, and hang up in the middle of it."""
        headers = {"ETag": '"cut"', "Last-Modified": "Sun, 01 Nov 2026 00:00:00 GMT"}
        self.fault = lambda handler: handler.answer(200, body, headers, cut=len(body) // 2)

    def heal(self) -> None:
        """Pass requests on again."""
        self.fault = None
        self._healed.set()
        if self._server is None:
            self.listen()
