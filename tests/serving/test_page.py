"""The page at `GET /`: one file, which may run its own script only."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

import pytest

from tests.support.app import App
from training.registry import ModelRegistry

MAX_BYTES = 60_000


def test_the_page_is_one_small_file(app: App) -> None:
    """It names no other address, and has one style and one script."""
    response = app.send("GET", "/")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert len(response.body) <= MAX_BYTES
    html = response.body.decode()
    assert "://" not in html
    assert len(re.findall(r"<script", html)) == len(re.findall(r"<style", html)) == 1
    assert not re.search(r"\b(style|on\w+)=\"", html)


@pytest.mark.parametrize("tag", ["script", "style"])
def test_the_policy_allows_what_the_page_holds_and_nothing_else(app: App, tag: str) -> None:
    """By hash: no inline script or style that an attacker adds would run."""
    response = app.send("GET", "/")
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in response.headers["Content-Security-Policy"].split(";")
    )
    [text] = re.findall(f"<{tag}>(.*?)</{tag}>", response.body.decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert policy[f"{tag}-src"] == f"'sha256-{digest}'"
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"


def test_the_page_can_be_turned_off(
    start_app: Callable[..., App], wine_store: ModelRegistry
) -> None:
    """It is a 404 then; nothing else changes."""
    app = start_app(MODEL_URL=wine_store.url, PAGE="off")
    assert app.request("GET", "/").status == 404
    assert app.classify({"alcohol": 13}).status == 200


def test_the_page_needs_neither_a_model_nor_settings(start_app: Callable[..., App]) -> None:
    """It shows what is wrong."""
    app = start_app()
    assert app.request("GET", "/model").status == 503
    assert app.send("GET", "/").status == 200


def test_an_api_request_does_not_read_the_page(app: App) -> None:
    """Only a request for it does."""
    cache = app.module.page.read_page
    cache.cache_clear()
    app.classify({"alcohol": 13})
    assert cache.cache_info().misses == 0
    app.send("GET", "/")
    app.send("GET", "/")
    assert cache.cache_info().misses == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_page_can_only_be_read(app: App, method: str) -> None:
    """As every route that has GET."""
    response = app.request(method, "/")
    assert (response.status, response.headers["Allow"]) == (405, "GET")
