"""A `chalice local` as strict as API Gateway, with this project's errors. Not used on Lambda.

Chalice's local server trusts any Content-Length, does not read chunked bodies, answers HEAD with a
body and TRACE with an HTML page, and an unknown path with a 403 that repeats a request header.
"""

from __future__ import annotations

import functools
import os
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
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
from chalicelib.local.access import print_access
from chalicelib.local.http_body import HeaderLines, read_body
from chalicelib.local.trial import Trial
from chalicelib.rest.events import NOT_FOUND_PATH
from chalicelib.rest.responses import error_response, json_response
from chalicelib.service import Service
from chalicelib.store.object_store import CURRENT

IDLE_SECONDS = 60
BODY_SECONDS = 5
# After an early response, the rest of the request is discarded for this long: closing the
# connection at once could discard the response instead.
LINGER_SECONDS = 10
_DISCARD_BYTES = 65_536

# `.chalice/config.json` holds this bucket until it is deployed with one; make publishes to folders
# with the same prefix.
_PLACEHOLDER_URL = "s3://YOUR-BUCKET/"
_DEFAULT_PREFIX = "wine"
_LOCAL_STORES = Path(__file__).parents[3] / ".model-store"

_PROTOCOL_ERRORS = {
    414: "The URL is too long.",
    431: "The headers are too long, or too many.",
    505: "Only HTTP/1.0 and HTTP/1.1 are supported.",
}


def install(service: Service) -> None:
    """Replace the classes that `chalice local` and Chalice's test client use."""
    print_access()
    chalice.local.RouteMatcher = StrictRouteMatcher  # type: ignore[misc]
    chalice.local.LocalDevServer = functools.partial(StrictLocalServer, service)  # type: ignore[misc, assignment]


class StrictRouteMatcher(RouteMatcher):
    """Matches paths as API Gateway does; an unknown path gets the not-found route."""

    def match_route(self, url: str) -> MatchResult:
        """Match a path, with or without a query."""
        path, _, query = url.partition("?")
        # Part of the path to API Gateway, but not to urllib.
        path = path.replace(";", "%3B").replace("#", "%23")
        if path.startswith("//"):  # as http.server normalizes it
            path = "/" + path.lstrip("/")
        try:
            return super().match_route(f"{path}?{query}")
        except ValueError:
            return MatchResult(NOT_FOUND_PATH, {"part1": ""}, {})


class StrictRequestHandler(ChaliceRequestHandler):
    """Handles the requests of one connection."""

    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True  # otherwise the body waits 40 ms for the headers' ACK
    default_request_version = "HTTP/1.0"  # a request without a version gets a status line too
    _has_unread_input = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # a method that Chalice's handler lacks: the app rejects it
            return self._generic_handle
        raise AttributeError(name)

    def handle_one_request(self) -> None:
        """Handle one request; an invalid body closes the connection."""
        try:
            super().handle_one_request()
        except ServingError as error:
            self._reject(error_response(error))

    def parse_request(self) -> bool:
        """Parse the request line and the headers; raises `MalformedBody`."""
        attributes = self.__dict__  # the type of `rfile` is wider than what parsing reads
        stream = attributes["rfile"]
        attributes["rfile"] = HeaderLines(stream)
        try:
            return bool(super().parse_request())
        finally:
            attributes["rfile"] = stream

    def send_error(self, code: int, *_: str | None) -> None:
        """Reject invalid HTTP without http.server's message, which may repeat the request."""
        error = {"error": _PROTOCOL_ERRORS.get(code, "The request is not valid HTTP.")}
        self._reject(json_response(error, status=code))

    def _reject(self, response: Response) -> None:
        # The start of the next request is unknown, so the connection ends here.
        self._has_unread_input = True
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
        """Send the response, then discard unread input before the connection closes."""
        super().finish()
        if self._has_unread_input:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_WR)
                self.connection.settimeout(1)
                deadline = time.monotonic() + LINGER_SECONDS
                while time.monotonic() < deadline and self.connection.recv(_DISCARD_BYTES):
                    pass


class LocalHTTPServer(ThreadedHTTPServer):
    """Queues a burst of connections; prints no traceback when a client disconnects."""

    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the current exception, unless it is a lost connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class StrictLocalServer(LocalDevServer):
    """The server that `chalice local` runs."""

    def __init__(
        self, service: Service, app: Chalice, config: Config, host: str, port: int
    ) -> None:
        service.trial = Trial()
        super().__init__(app, config, host, port, StrictRequestHandler, LocalHTTPServer)
        url = os.environ.get("MODEL_URL", _PLACEHOLDER_URL + _DEFAULT_PREFIX)
        if url.startswith(_PLACEHOLDER_URL):
            name = os.environ.get("MODEL_NAME")
            serve_local_store(name or url.removeprefix(_PLACEHOLDER_URL))


def serve_local_store(prefix: str) -> None:
    """Set `MODEL_URL` to the store that make publishes to, and print one line about it."""
    folder = _LOCAL_STORES / prefix
    os.environ["MODEL_URL"] = folder.as_uri()
    if (folder / CURRENT).exists():
        print(f"Serving the model in {folder}: MODEL_URL names no bucket yet.", flush=True)
    elif prefix == _DEFAULT_PREFIX:
        print(f"There is no model in {folder} yet: run make train publish.", flush=True)
    else:
        print(
            f"There is no model in {folder} yet: run make publish MODEL=fitted.skops "
            f"DATA=table.csv TARGET=label NAME={prefix}.",
            flush=True,
        )
