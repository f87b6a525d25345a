"""`chalice local` as strict as API Gateway is, and with our errors. Never imported on Lambda.

Chalice's own server believes every Content-Length, knows no chunked bodies, answers HEAD with a
body, TRACE with a page of HTML, and a path that has no route with a 403 that repeats a header.
"""

from __future__ import annotations

import socket
import sys
import time
from contextlib import suppress
from typing import Any

import chalice.local
from chalice.app import Chalice, Response
from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    LocalDevServer,
    MatchResult,
    RouteMatcher,
    ThreadedHTTPServer,
)

from chalicelib.errors import ServingError
from chalicelib.local.http_body import read_body
from chalicelib.rest.responses import error_response, json_response

IDLE_SECONDS = 60
BODY_SECONDS = 5
# How long a client may go on sending what will not be read, so that it sees the answer to it.
LINGER_SECONDS = 10
_UNREAD_BYTES = 65_536

_NO_HTTP = {
    414: "The address is too long.",
    431: "The headers are too long, or too many.",
    505: "HTTP is spoken here in version 1.0 or 1.1.",
}


def install() -> None:
    """Let `chalice local`, and Chalice's test client, use what is defined here."""
    chalice.local.RouteMatcher = Routes  # type: ignore[misc]
    chalice.local.LocalDevServer = Server  # type: ignore[misc, assignment]


class Routes(RouteMatcher):
    """Finds the route of a path; that of ``/``, which tells that there is none, if no other."""

    def match_route(self, url: str) -> MatchResult:
        """Find a route.

        Parameters
        ----------
        url : str
            A path, with or without a query.

        Returns
        -------
        chalice.local.MatchResult
        """
        path, _, query = url.partition("?")
        # To urllib these begin something else than a path; to API Gateway they are a part of it.
        path = path.replace(";", "%3B").replace("#", "%23")
        if path.startswith("//"):  # as http.server has it
            path = "/" + path.lstrip("/")
        try:
            return super().match_route(f"{path}?{query}")
        except ValueError:
            return MatchResult("/", {}, {})


class Handler(ChaliceRequestHandler):
    """Reads requests from a connection and answers each."""

    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True  # else the body waits 40 ms for the headers to arrive
    default_request_version = "HTTP/1.0"  # so that even what names no version is told a status
    _leaves_unread = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith(
            "do_"
        ):  # a method that Chalice's class does not know: the app refuses it
            return self._generic_handle
        raise AttributeError(name)

    def handle_one_request(self) -> None:
        """Answer one request."""
        try:
            super().handle_one_request()
        except ServingError as error:
            self._refuse(error_response(error))

    def send_error(self, code: int, *_said: str | None) -> None:
        """Refuse what is no HTTP, without http.server's words, which may repeat what was sent.

        Parameters
        ----------
        code : int
            The HTTP status.
        """
        error = {"error": _NO_HTTP.get(code, "The request is not HTTP.")}
        self._refuse(json_response(error, status=code))

    def _refuse(self, response: Response) -> None:
        # Where the next request would begin is not known.
        self._leaves_unread = True
        headers = {**response.headers, "Connection": "close"}
        self._send_http_response(response.status_code, headers, response.body)

    def _parse_payload(self) -> tuple[dict[str, Any], bytes | None]:
        self.connection.settimeout(BODY_SECONDS)
        body = read_body(self.headers, self.rfile)
        self.connection.settimeout(IDLE_SECONDS)
        return {name: ", ".join(self.headers.get_all(name, [])) for name in self.headers}, body

    def _send_http_response_with_body(
        self, code: int, headers: dict[str, Any], body: str | bytes
    ) -> None:
        if self.command == "HEAD":
            headers["Content-Length"] = str(len(body))
            self.send_response(code)
            self._send_headers(headers)
        else:
            super()._send_http_response_with_body(code, headers, body)

    def finish(self) -> None:
        """End the connection; only then is what the client still sends thrown away."""
        super().finish()
        if self._leaves_unread:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_WR)
                self.connection.settimeout(1)
                until = time.monotonic() + LINGER_SECONDS
                while time.monotonic() < until and self.connection.recv(_UNREAD_BYTES):
                    pass


class LocalHTTPServer(ThreadedHTTPServer):
    """Accepts connections."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what went wrong, unless it is that a client went away.

        Parameters
        ----------
        request, client_address : object
            See `socketserver.BaseServer`.
        """
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Server(LocalDevServer):
    """What `chalice local` runs."""

    def __init__(self, app: Chalice, config: Config, host: str, port: int) -> None:
        super().__init__(app, config, host, port, Handler, LocalHTTPServer)
