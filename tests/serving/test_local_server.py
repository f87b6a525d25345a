"""`chalice local`, over a socket: what is no HTTP, and lengths that are false."""

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
from tests.support.models import Trained
from training.registry import ModelRegistry

TIMEOUT_SECONDS = 20


@pytest.fixture(scope="module")
def address(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Where `chalice local` serves the wine model."""
    store = ModelRegistry(str(tmp_path_factory.mktemp("store")))
    store.publish(trained.built.artifact)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_URL", store.url)
        patch.setattr(local_server, "BODY_SECONDS", 0.2)
        app = App().module.app
        server = chalice.local.create_local_server(app, Config(), "127.0.0.1", 0).server
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address
        server.shutdown()
        thread.join()
        server.server_close()


class Answers(io.BufferedReader):
    """What comes over a connection, for `http.client` to read one answer after another."""

    def makefile(self, _mode: str) -> Answers:
        """Be the file of each of them."""
        return self

    def close(self) -> None:
        """Stay open: the next answer begins where this one ends."""


def exchange(address: Any, raw: Raw) -> Iterator[tuple[int, http.client.HTTPMessage, Any]]:
    """Send bytes, and give the status, the headers and the JSON of each answer to them."""
    with socket.create_connection(address, timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(raw.data)
        if raw.half_close:
            connection.shutdown(socket.SHUT_WR)
        received: Any = Answers(socket.SocketIO(connection, "rb"))
        method = raw.data.split(b" ")[0].decode("latin-1")
        for _ in raw.statuses:
            response = http.client.HTTPResponse(received, method=method)
            response.begin()
            body = response.read()
            assert len(body) == int(response.headers["Content-Length"]) or method == "HEAD"
            yield response.status, response.headers, json.loads(body) if body else None
            method = "POST"


@pytest.mark.parametrize("raw", RAW, ids=str)
def test_every_request_is_answered(
    address: Any, raw: Raw, capfd: pytest.CaptureFixture[str]
) -> None:
    """In JSON, one answer each; a client that cannot be understood is told so and left."""
    answers = list(exchange(address, raw))
    assert [status for status, _, _ in answers] == raw.statuses
    for status, headers, body in answers:
        assert headers["Content-Type"] == "application/json"
        assert status == 200 or body is None or is_error(body)
    assert "Traceback" not in capfd.readouterr().err


def test_a_client_that_goes_away_is_no_fault(
    address: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is printed of it."""
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(b"POST /classify HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")
    raw = Raw([200], b"GET /health HTTP/1.0\r\n\r\n")
    assert [status for status, _, _ in exchange(address, raw)] == raw.statuses
    assert "Traceback" not in capfd.readouterr().err
