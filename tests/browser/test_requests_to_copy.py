"""What the page gives to copy works when it is pasted, whatever a text holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from deployment import access
from tests.browser.conftest import NO_PREDICTION, OpenPage
from tests.browser.proxy import PREFIX, PrefixProxy
from tests.browser.served_models import QUOTED

KEY = "a-key-of-a-stage"


@pytest.fixture
def stage(table_url: str) -> Iterator[Callable[..., str]]:
    """Return a function that serves the table's model under a prefix, public or closed."""
    proxies = []

    def start(auth: str = access.PUBLIC, key: str | None = None) -> str:
        port = urlsplit(table_url).port
        assert port is not None
        proxies.append(PrefixProxy(port, auth, key))
        return proxies[-1].url

    yield start
    for proxy in proxies:
        proxy.stop()


def copied(page: Any, language: str) -> str:
    """Return the text that the page copies for a language."""
    page.get_by_role("button", name=language, exact=True).click()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def run(command: list[str], **environment: str) -> Any:
    """Run a command and parse what it prints."""
    process = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return process.stdout


def open_with_quotes(open_page: OpenPage, url: str) -> Any:
    """Open a page and type the texts that shells and languages quote differently."""
    page = open_page(url, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("colour, or hue", exact=True).fill(QUOTED)
    page.get_by_label("note", exact=True).fill("$HOME `id` \\n 'x' \"y\"\nsecond line é 日本")
    expect(page.locator("#prediction")).not_to_have_text(NO_PREDICTION)
    return page


def test_each_language_gets_the_answer_that_is_shown(
    open_page: OpenPage, stage: Callable[..., str]
) -> None:
    """Under a stage's prefix."""
    page = open_with_quotes(open_page, stage() + "/")
    label = page.locator("#prediction").inner_text()
    curl = copied(page, "curl")
    assert f"{PREFIX}/classify" in curl
    assert json.loads(run(["bash", "-c", f"{curl} --silent"]))["prediction"] == label
    assert json.loads(run(["bash", "-c", f"{copied(page, 'MLflow, SageMaker')} --silent"])) == {
        "predictions": [label]
    }
    printed = run([sys.executable, "-c", copied(page, "Python")])
    assert f"'prediction': '{label}'" in printed
    lines: list[str] = page.evaluate(
        """async (code) => {
          const lines = [], AsyncFunction = (async () => {}).constructor;
          const console = { log: (value) => lines.push(value.prediction) };
          await new AsyncFunction("console", code)(console);
          return lines;
        }""",
        copied(page, "JavaScript"),
    )
    assert lines == [label]


def test_the_page_works_without_a_slash_at_the_end(
    open_page: OpenPage, stage: Callable[..., str]
) -> None:
    """As the URL of a stage is often written."""
    page = open_page(stage())
    for name in ("OpenAPI document", "Open Inference Protocol metadata", "All of this as JSON"):
        address = page.get_by_role("link", name=name).get_attribute("href")
        assert page.request.get(address).ok


def test_a_key_is_asked_for_and_kept_in_memory(
    open_page: OpenPage, stage: Callable[..., str]
) -> None:
    """It is in no storage and in nothing that is copied; pasted code reads it from a variable."""
    page = open_page(
        stage(access.KEY, KEY) + "/",
        expected="status of 403",
        is_ready=False,
        permissions=["clipboard-read", "clipboard-write"],
    )
    expect(page.get_by_label("API key")).to_be_focused()
    page.get_by_label("API key").fill("wrong")
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("alert")).to_contain_text("The key was not accepted")
    page.get_by_label("API key").fill(KEY)
    page.keyboard.press("Enter")
    expect(page.locator("#prediction")).not_to_have_text(NO_PREDICTION)
    expect(page.locator("#alert")).to_be_hidden()
    label = page.locator("#prediction").inner_text()
    curl, python = copied(page, "curl"), copied(page, "Python")
    assert KEY not in curl + python
    answer = run(["bash", "-c", f"{curl} --silent"], API_KEY=KEY)
    assert json.loads(answer)["prediction"] == label
    assert label in run([sys.executable, "-c", python], API_KEY=KEY)
    stored = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    assert KEY not in page.evaluate(stored)


def test_a_service_of_signed_requests_is_not_asked_for_a_key(
    open_page: OpenPage, stage: Callable[..., str]
) -> None:
    """A page cannot sign: it shows what API Gateway says."""
    page = open_page(stage(access.IAM) + "/", expected="status of 403", is_ready=False)
    expect(page.get_by_role("alert")).to_contain_text("AWS Signature Version 4")
    expect(page.locator("#key-form")).to_be_hidden()


def test_a_closed_service_is_open_for_its_page_its_health_and_preflights(
    stage: Callable[..., str],
) -> None:
    """Nothing else, and the rejection is in the one error shape."""
    url = stage(access.KEY, KEY)

    def status(method: str, path: str, **headers: str) -> tuple[int, bytes]:
        request = Request(url + path, method=method, headers=headers)
        try:
            with urlopen(request) as response:
                return response.status, response.read()
        except HTTPError as error:
            return error.code, error.read()

    assert [status("GET", path)[0] for path in ("/", "/health", "/model")] == [200, 200, 403]
    assert status("GET", "/model", **{"X-Api-Key": KEY})[0] == 200
    assert status("OPTIONS", "/model")[0] == 405  # of the app, which allows no origin here
    assert "X-Api-Key" in json.loads(status("GET", "/unknown")[1])["error"]
