"""A proxy for an S3 server that injects the faults of S3 and of networks."""

from __future__ import annotations

import http.client
import http.server
import socket
import struct
import threading
from collections.abc import Callable
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

PAUSE_SECONDS = 0.01
UNFORWARDED_HEADERS = {"connection", "transfer-encoding", "date", "server"}


class LoggedRequest(NamedTuple):
    """A request with its response, from S3 or from a fault."""

    method: str
    path: str
    is_conditional: bool
    status: int
    body_bytes: int


class Handler(http.server.BaseHTTPRequestHandler):
    """A request to S3, for a fault to respond to or to forward."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_request(self) -> None:
        """Read a request and do what the proxy's fault says."""
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.proxy.fault
        if fault is None:
            self.forward()
        else:
            fault(self)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_request  # noqa: N815

    def forward(self) -> None:
        """Send the request to the S3 server and its response to the client."""
        upstream = http.client.HTTPConnection(self.server.proxy.upstream)
        upstream.request(self.command, self.path, self.body, dict(self.headers))
        response = upstream.getresponse()
        content = response.read()
        upstream.close()
        unforwarded = UNFORWARDED_HEADERS
        if self.command != "HEAD":
            unforwarded = unforwarded | {"content-length"}
        headers = {k: v for k, v in response.getheaders() if k.lower() not in unforwarded}
        self.respond(response.status, content, headers)

    def respond(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Send a response."""
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
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, proxy: FaultProxy) -> None:
        self.proxy = proxy
        self.connections: list[socket.socket] = []
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self.connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, *_: object) -> None:
        """Ignore disconnects, which some faults provoke."""


Fault = Callable[[Handler], None]
End = Literal["stall", "close", "reset"]


class FaultProxy:
    """Forwards requests to an S3 server while `fault` is None."""

    def __init__(self, endpoint: str) -> None:
        self.upstream = urlsplit(endpoint).netloc
        self.fault: Fault | None = None
        self.requests: list[LoggedRequest] = []
        self.reached = threading.Event()  # a request met the fault of `send`
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

    def send(self, *chunks: bytes, end: End = "close") -> None:
        """Send bytes with pauses between them, then stall, close or reset the connection."""
        self._healed.clear()
        self.reached.clear()
        self.fault = lambda handler: self._send(handler, chunks, end)

    def _send(self, handler: Handler, chunks: tuple[bytes, ...], end: End) -> None:
        handler.close_connection = True
        self.reached.set()
        for chunk in chunks:
            handler.wfile.write(chunk)
            self._healed.wait(PAUSE_SECONDS)
        if end == "stall":
            self._healed.wait(60)
        elif end == "reset":
            linger = struct.pack("ii", 1, 0)  # close without the rest of the data
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.connection.close()

    def respond_with(self, status: int, code: str) -> None:
        """Respond with one of S3's errors."""
        body = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
        self.fault = lambda handler: handler.respond(
            status, body, {"Content-Type": "application/xml"}
        )

    def heal(self) -> None:
        """Forward requests again."""
        self.fault = None
        self._healed.set()
        if self._server is None:
            self.listen()
