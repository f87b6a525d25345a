"""`chalice local` over a socket: invalid HTTP and wrong lengths."""

from __future__ import annotations

import http.client
import io
import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import chalice.local
import pytest
from chalice.config import Config

from chalicelib.local import server as local_server
from tests.hostile_requests.raw_http import RAW, Raw
from tests.support.app import App
from tests.support.errors import is_error
from tests.support.headers import assert_is_private
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
        assert_is_private(headers)
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


@pytest.fixture
def start_unconfigured(
    trained: WineModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Start a `chalice local` with a MODEL_URL; the local stores hold the model `wine`."""
    ModelRegistry(str(tmp_path / "wine")).publish(trained.built.artifact)
    monkeypatch.setattr(local_server, "_LOCAL_STORES", tmp_path)
    servers = []

    def start(url: str | None) -> App:
        monkeypatch.setenv("MODEL_URL", url or "")  # restored after the test
        if url is None:
            monkeypatch.delenv("MODEL_URL")
        app = App()
        local = chalice.local.create_local_server(app.module.app, Config(), "127.0.0.1", 0)
        servers.append(local.server)
        return app

    yield start
    for server in servers:
        server.server_close()


@pytest.mark.parametrize("url", ["s3://YOUR-BUCKET/wine", None])
def test_without_a_bucket_the_local_store_is_served(
    start_unconfigured: Any, url: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stage dev of `.chalice/config.json` holds a placeholder; one line says what is served."""
    app = start_unconfigured(url)
    assert app.classify(".10").body == {"prediction": "1"}
    [line] = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("{")]
    assert line.startswith("Serving the model in ")


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("wine", "make train publish"),
        ("churn", "make publish MODEL=fitted.skops DATA=table.csv TARGET=label NAME=churn"),
    ],
)
def test_without_a_bucket_and_a_model_one_line_says_what_to_run(
    start_unconfigured: Any,
    prefix: str,
    command: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A model that is published later is served without a restart."""
    shutil.move(tmp_path / "wine", tmp_path / "published")
    app = start_unconfigured(f"s3://YOUR-BUCKET/{prefix}")
    [line] = capsys.readouterr().out.splitlines()
    assert line == f"There is no model in {tmp_path / prefix} yet: run {command}."
    shutil.move(tmp_path / "published", tmp_path / prefix)
    assert app.classify(".10").status == 200


def test_without_a_bucket_the_store_of_the_name_is_served(
    start_unconfigured: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As `make publish NAME=churn` publishes it."""
    monkeypatch.setenv("MODEL_NAME", "churn")
    start_unconfigured("s3://YOUR-BUCKET/wine")
    assert capsys.readouterr().out.startswith(f"There is no model in {tmp_path / 'churn'} yet")


@pytest.mark.parametrize("url", ["s3://some-bucket/wine", "file:///models"])
def test_a_store_that_is_set_is_kept(
    start_unconfigured: Any, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a line about it."""
    start_unconfigured(url)
    assert os.environ["MODEL_URL"] == url
    assert capsys.readouterr().out == ""


def test_a_burst_of_connections_waits_to_be_accepted(app: App) -> None:
    """While no thread accepts any: Python's own server would lose all but five."""
    with ExitStack() as stack:
        server = chalice.local.create_local_server(app.module.app, Config(), "127.0.0.1", 0).server
        stack.callback(server.server_close)
        for _ in range(128):
            connection = socket.create_connection(server.server_address, timeout=TIMEOUT_SECONDS)
            stack.enter_context(connection)
