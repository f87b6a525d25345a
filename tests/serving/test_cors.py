"""Cross-origin requests behind the Chalice test client: off unless the stage turns them on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.errors import InvalidSetting
from chalicelib.settings import Settings
from tests.support.app import App
from tests.support.errors import is_error
from training.registry import ModelRegistry

PAGE = "https://example.org"
JSON = {"Content-Type": "application/json"}
PATHS = ["/classify", "/health", "/v2/models/wine/versions/1/infer", "/invocations"]


def cors_headers(headers: dict[str, str]) -> dict[str, str]:
    """Give the headers that browsers go by."""
    return {
        name: value for name, value in headers.items() if name.startswith("Access-Control-Allow")
    }


@pytest.mark.parametrize("path", PATHS)
def test_cors_is_off_by_default(app: App, path: str) -> None:
    """No header allows anything, and a preflight is a method like any other."""
    answer = app.request("OPTIONS", path, headers={"Origin": PAGE})
    assert (answer.status, is_error(answer.body)) == (405, True)
    assert answer.headers["Allow"] in ("GET", "POST")
    assert not cors_headers(answer.headers)
    answer = app.request("POST", "/classify", b'{"data":1}', JSON | {"Origin": PAGE})
    assert not cors_headers(answer.headers)


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_is_answered_for_an_allowed_origin(
    start_app: Callable[..., App], wine_store: ModelRegistry, path: str
) -> None:
    """With the methods of the path and the headers that a page may send."""
    app = start_app(MODEL_URL=wine_store.url, CORS_ORIGINS=f"https://example.com, {PAGE}")
    answer = app.request("OPTIONS", path, headers={"Origin": PAGE})
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] in ("GET", "POST")
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
    assert answer.headers["Vary"] == "Origin"


def test_answers_and_errors_may_be_read_by_an_allowed_origin(
    start_app: Callable[..., App], wine_store: ModelRegistry
) -> None:
    """Errors of every kind too: a page can say what was wrong."""
    app = start_app(MODEL_URL=wine_store.url, CORS_ORIGINS=PAGE)
    headers = JSON | {"Origin": PAGE}
    requests = [
        ("POST", "/classify", b'{"data":1}', 200),
        ("POST", "/classify", b"[", 400),
        ("GET", "/nowhere", b"", 404),
        ("GET", "/classify", b"", 405),
    ]
    for method, path, body, status in requests:
        answer = app.request(method, path, body, headers)
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        answer = app.request(method, path, body, JSON | {"Origin": "https://evil.example"})
        assert not cors_headers(answer.headers)


def test_every_origin_may_be_allowed(
    start_app: Callable[..., App], wine_store: ModelRegistry
) -> None:
    """With a star."""
    app = start_app(MODEL_URL=wine_store.url, CORS_ORIGINS="*")
    answer = app.request("POST", "/classify", b'{"data":1}', JSON | {"Origin": PAGE})
    assert cors_headers(answer.headers) == {"Access-Control-Allow-Origin": "*"}


@pytest.mark.parametrize("held", ["", " "])
def test_an_empty_setting_allows_none(held: str) -> None:
    """As if it were not set."""
    environ = {"MODEL_URL": "s3://bucket", "CORS_ORIGINS": held}
    assert Settings.from_environ(environ).cors_origins == ()


@pytest.mark.parametrize(
    "held",
    ["example.org", "https://", "https://example.org/", "*, https://x", "https://*.x", "a b", ","],
)
def test_what_is_no_origin_is_refused(held: str) -> None:
    """A browser would never name it, so it would allow nothing, unseen."""
    with pytest.raises(InvalidSetting, match="CORS_ORIGINS"):
        Settings.from_environ({"MODEL_URL": "s3://bucket", "CORS_ORIGINS": held})
