"""Hostile requests through the Chalice test client."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.hostile_requests import REQUESTS
from tests.hostile_requests.rejections import MAX_SECONDS, assert_rejected
from tests.hostile_requests.request import CANARY, Request
from tests.hostile_requests.transports import TestClient
from tests.support.app import App
from tests.support.emf import check_lines
from tests.support.models import WineModel
from training.registry import ModelRegistry


@pytest.fixture(scope="module")
def client(trained: WineModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The test client of an app that serves the wine model."""
    store = ModelRegistry(str(tmp_path_factory.mktemp("store")))
    store.publish(trained.built.artifact)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_URL", store.url)
        patch.setenv("LOG_LEVEL", "info")
        patch.setenv("METRICS", "on")
        yield TestClient(App())


@pytest.mark.parametrize("request_", [r for r in REQUESTS if TestClient.supports(r)], ids=str)
def test_a_hostile_request_is_rejected(
    client: TestClient, request_: Request, capfd: pytest.CaptureFixture[str]
) -> None:
    """With the right status and shape, and no value of the request in response or log."""
    start = time.monotonic()
    response = client.send(request_)
    assert time.monotonic() - start < MAX_SECONDS
    assert_rejected(request_, response)
    printed = "".join(capfd.readouterr())
    assert CANARY not in printed
    assert "Traceback" not in printed
    [line] = check_lines(printed)
    assert line["status"] == response.status
    assert line["request_id"] == response.headers["X-Request-Id"]
