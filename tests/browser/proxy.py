"""A proxy that serves an API under a path prefix, as a stage of API Gateway does."""

from __future__ import annotations

import http.client
import http.server
import json
import threading
from contextlib import closing

PREFIX = "/stage"
_UNFORWARDED = {"connection", "transfer-encoding", "content-length", "date", "server"}


class PrefixProxy:
    """Strips `PREFIX` from paths; with a key, rejects API requests without it.

    Parameters
    ----------
    port : int
        Of the API's server.
    key : str, optional
        The API key. The page itself needs none, as a browser sends none for it.
    """

    def __init__(self, port: int, key: str | None = None) -> None:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(port, key))
        self.url = f"http://127.0.0.1:{self._server.server_port}{PREFIX}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """Stop the proxy."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(port: int, key: str | None) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.removeprefix(PREFIX)
            if path == self.path:
                self._respond(404, b"{}", {"Content-Type": "application/json"})
            elif key is not None and path != "/" and self.headers["X-Api-Key"] != key:
                error = {"error": "An API key is required in the header X-Api-Key."}
                self._respond(403, json.dumps(error).encode(), {"Content-Type": "application/json"})
            else:
                with closing(http.client.HTTPConnection("127.0.0.1", port)) as upstream:
                    upstream.request(self.command, path or "/", body, dict(self.headers))
                    response = upstream.getresponse()
                    self._respond(response.status, response.read(), dict(response.getheaders()))

        do_POST = do_GET  # noqa: N815

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
