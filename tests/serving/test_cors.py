"""Cross-origin requests through the Chalice test client."""

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
    """Return the headers that grant access."""
    return {
        name: value for name, value in headers.items() if name.startswith("Access-Control-Allow")
    }


@pytest.mark.parametrize("path", PATHS)
def test_cors_is_off_by_default(app: App, path: str) -> None:
    """No header grants access, and a preflight is a 405."""
    response = app.request("OPTIONS", path, headers={"Origin": PAGE})
    assert (response.status, is_error(response.body)) == (405, True)
    assert response.headers["Allow"] in ("GET", "POST")
    assert not cors_headers(response.headers)
    response = app.request("POST", "/classify", b'{"data":1}', JSON | {"Origin": PAGE})
    assert not cors_headers(response.headers)


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_from_an_allowed_origin_succeeds(
    start_app: Callable[..., App], wine_store: ModelRegistry, path: str
) -> None:
    """It lists the methods of the path and the request headers."""
    app = start_app(MODEL_URL=wine_store.url, CORS_ORIGINS=f"https://example.com, {PAGE}")
    response = app.request("OPTIONS", path, headers={"Origin": PAGE})
    assert response.status == 200
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert response.headers["Access-Control-Allow-Methods"] in ("GET", "POST")
    assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]
    assert response.headers["Vary"] == "Origin"


def test_an_allowed_origin_may_read_results_and_errors(
    start_app: Callable[..., App], wine_store: ModelRegistry
) -> None:
    """Each error response has the CORS headers too."""
    app = start_app(MODEL_URL=wine_store.url, CORS_ORIGINS=PAGE)
    headers = JSON | {"Origin": PAGE}
    requests = [
        ("POST", "/classify", b'{"data":1}', 200),
        ("POST", "/classify", b"[", 400),
        ("GET", "/nowhere", b"", 404),
        ("GET", "/classify", b"", 405),
    ]
    for method, path, body, status in requests:
        response = app.request(method, path, body, headers)
        assert response.status == status
        assert response.headers["Access-Control-Allow-Origin"] == PAGE
        response = app.request(method, path, body, JSON | {"Origin": "https://evil.example"})
        assert not cors_headers(response.headers)


def test_every_origin_may_be_allowed(
    start_app: Callable[..., App], wine_store: ModelRegistry
) -> None:
    """`CORS_ORIGINS=*`."""
    app = start_app(MODEL_URL=wine_store.url, CORS_ORIGINS="*")
    response = app.request("POST", "/classify", b'{"data":1}', JSON | {"Origin": PAGE})
    assert cors_headers(response.headers) == {"Access-Control-Allow-Origin": "*"}


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_setting_allows_no_origin(value: str) -> None:
    """The same as an unset variable."""
    environ = {"MODEL_URL": "s3://bucket", "CORS_ORIGINS": value}
    assert Settings.from_environ(environ).cors_origins == ()


@pytest.mark.parametrize(
    "value",
    [
        *("example.org", "https://", "https://example.org/", "ftp://example.org", "://example.org"),
        *("*, https://x", "https://*.x", "a b", ",", "https://a b", "https://x?y", "https://x#y"),
        *("https://me@x", "https://x\\y", "https://\x07x", "https://x\r\nSet-Cookie:a=b.c"),
        *("https://x\x7f", "https://x\0", "https://exämple.org"),
    ],
)
def test_an_invalid_origin_is_rejected(value: str) -> None:
    """No browser sends it, so it would silently allow nothing."""
    with pytest.raises(InvalidSetting, match="CORS_ORIGINS"):
        Settings.from_environ({"MODEL_URL": "s3://bucket", "CORS_ORIGINS": value})
