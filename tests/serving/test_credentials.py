"""The credentials of a function with SnapStart, which a server returns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from chalicelib.store.credentials import Credentials, are_served, read_credentials

SERVED = (
    b'{"AccessKeyId": "id", "SecretAccessKey": "secret", "Token": "token",'
    b' "Expiration": "2026-11-27T12:00:00Z"}'
)
HOST = "127.0.0.2"  # no default is this address
Serve = Callable[[int, bytes], list[tuple[str, str | None]]]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Return a function that starts a server of one response; it returns what is requested."""

    def start(status: int, body: bytes) -> list[tuple[str, str | None]]:
        requests: list[tuple[str, str | None]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requests.append((self.path, self.headers["Authorization"]))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Print nothing."""

        server = HTTPServer((HOST, 0), Handler)

        def respond_once() -> None:
            server.handle_request()
            server.server_close()

        Thread(target=respond_once).start()
        uri = f"http://{HOST}:{server.server_address[1]}/v1/credentials?a=1"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-environment")
        monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
        return requests

    return start


def test_the_server_is_asked_with_the_token_of_the_environment(serve: Serve) -> None:
    """The credentials have a time at which they expire."""
    requests = serve(200, SERVED)
    assert are_served()
    expires_at = datetime(2026, 11, 27, 12, tzinfo=UTC)
    assert read_credentials() == Credentials("id", "secret", "token", expires_at)
    assert requests == [("/v1/credentials?a=1", "of-the-environment")]


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, SERVED), (200, b"{"), (200, b"[]"), (200, b'{"AccessKeyId": "id"}')],
)
def test_another_response_is_an_error(serve: Serve, status: int, body: bytes) -> None:
    """It has nothing of the response."""
    serve(status, body)
    with pytest.raises(OSError, match="The server of credentials returned"):
        read_credentials()


def test_variables_come_first(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without SnapStart Lambda sets them."""
    requests = serve(200, SERVED)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    assert not are_served()
    assert read_credentials() == Credentials("own", "own secret", None, None)
    assert requests == []
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    read_credentials()  # ends the server
