"""`chalice local` over a socket: invalid HTTP and wrong lengths."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import chalice.local
import pytest
from chalice.config import Config

from chalicelib.local import server as local_server
from tests.hostile_requests.raw_http import RAW, Raw
from tests.support.app import App
from tests.support.errors import is_error
from tests.support.models import WineModel
from training.registry import ModelRegistry

TIMEOUT_SECONDS = 20


@pytest.fixture(scope="module")
def address(trained: WineModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The address of a `chalice local` that serves the wine model."""
    registry = ModelRegistry(str(tmp_path_factory.mktemp("store")))
    registry.publish(trained.built.artifact)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_URL", registry.url)
        patch.setattr(local_server, "BODY_SECONDS", 0.2)
        app = App().module.app
        server = chalice.local.create_local_server(app, Config(), "127.0.0.1", 0).server
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address
        server.shutdown()
        thread.join()
        server.server_close()


class Responses(io.BufferedReader):
    """The input of a connection, from which `http.client` reads one response after another."""

    def makefile(self, _mode: str) -> Responses:
        """Return the same file for each response."""
        return self

    def close(self) -> None:
        """Stay open for the next response."""


def exchange(address: Any, raw: Raw) -> Iterator[tuple[int, http.client.HTTPMessage, Any]]:
    """Send bytes, and yield the status, headers and JSON of each response."""
    with socket.create_connection(address, timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(raw.data)
        if raw.half_close:
            connection.shutdown(socket.SHUT_WR)
        stream: Any = Responses(socket.SocketIO(connection, "rb"))
        method = raw.data.split(b" ")[0].decode("latin-1")
        for _ in raw.statuses:
            response = http.client.HTTPResponse(stream, method=method)
            response.begin()
            body = response.read()
            assert len(body) == int(response.headers["Content-Length"]) or method == "HEAD"
            yield response.status, response.headers, json.loads(body) if body else None
            method = "POST"


@pytest.mark.parametrize("raw", RAW, ids=str)
def test_every_request_gets_its_response(
    address: Any, raw: Raw, capfd: pytest.CaptureFixture[str]
) -> None:
    """In JSON, one response each; after invalid HTTP the connection closes."""
    responses = list(exchange(address, raw))
    assert [status for status, _, _ in responses] == raw.statuses
    for status, headers, body in responses:
        assert headers["Content-Type"] == "application/json"
        assert status == 200 or body is None or is_error(body)
    assert "Traceback" not in capfd.readouterr().err


def test_a_disconnect_prints_no_traceback(address: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """And the server keeps serving."""
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(b"POST /classify HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")
    raw = Raw([200], b"GET /health HTTP/1.0\r\n\r\n")
    assert [status for status, _, _ in exchange(address, raw)] == raw.statuses
    assert "Traceback" not in capfd.readouterr().err
