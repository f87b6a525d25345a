"""Servers, and pages that must stay on their origin with an empty console."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.models import WineModel, publish_to_folder
from tests.support.paths import APP
from tests.support.processes import Server, free_port
from tests.support.waiting import wait_until

if find_spec("playwright") is None:  # `make browser` installs it
    collect_ignore_glob = ["test_*.py"]

NO_PREDICTION = "\N{EN DASH}"  # shown while there is none
PHONE = {"width": 360, "height": 740}
OpenPage = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import launch

    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """Return a function that opens a page; at the end, the console of each must be empty.

    No request may leave the page's origin. `expected` is a part of the messages in the console that
    a test causes: the browser's own lines for responses that are errors. Unless told otherwise, the
    function waits for the first prediction.
    """
    contexts, problems, allowed = [], [], []

    def open_at(
        url: str, *, expected: str | None = None, is_ready: bool = True, **options: Any
    ) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        allowed.extend([expected] if expected else [])
        page = context.new_page()
        origin = "{0.scheme}://{0.netloc}/".format(urlsplit(url))
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((origin, "blob:", "data:"))
                else problems.append(f"leaves the origin: {request.url}")
            ),
        )
        page.goto(url)
        if is_ready:
            page.wait_for_function(
                "(none) => document.getElementById('prediction').textContent !== none",
                arg=NO_PREDICTION,
            )
        return page

    yield open_at
    for context in contexts:
        context.close()
    unexpected = [each for each in problems if not any(part in each for part in allowed)]
    assert unexpected == []


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any], Server]]:
    """Return a function that serves a built model with ``make serve``."""
    servers = []

    def start(built: Any) -> Server:
        registry = publish_to_folder(built, tmp_path_factory.mktemp("store"))
        servers.append(Server(f"MODEL_URL={registry.url}"))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def wine_url(serve: Callable[[Any], Server], trained: WineModel) -> str:
    """The page of the wine model, with the metrics that `training.publish` measures."""
    from tests.browser.served_models import measured_wine

    return f"http://127.0.0.1:{serve(measured_wine(trained, folds=5)).port}/"


@pytest.fixture(scope="session")
def table_url(serve: Callable[[Any], Server]) -> str:
    """The page of a model of every kind of column."""
    from tests.browser.served_models import mixed_table

    return f"http://127.0.0.1:{serve(mixed_table()).port}/"


@pytest.fixture(scope="session")
def wide_url(serve: Callable[[Any], Server]) -> str:
    """The page of a model of 200 features."""
    from tests.browser.served_models import wide

    return f"http://127.0.0.1:{serve(wide()).port}/"


@pytest.fixture(scope="session")
def classes_url(serve: Callable[[Any], Server]) -> str:
    """The page of a model of 40 classes."""
    from tests.browser.served_models import many_classes

    return f"http://127.0.0.1:{serve(many_classes()).port}/"


@pytest.fixture
def empty_store(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The page of a server without a model, and the folder of its store."""
    folder = tmp_path / "store"
    folder.mkdir()
    port = free_port()
    chalice = str(Path(sys.executable).with_name("chalice"))
    process = subprocess.Popen(
        [chalice, "local", "--stage", "local", "--no-autoreload", "--port", str(port)],
        cwd=APP,
        env=os.environ | {"MODEL_URL": folder.as_uri(), "MODEL_REFRESH_SECONDS": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: accepts_connections(port), "the server did not start")
    yield f"http://127.0.0.1:{port}/", folder
    process.terminate()
    process.wait()


def accepts_connections(port: int) -> bool:
    """Return whether a server listens on a port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
