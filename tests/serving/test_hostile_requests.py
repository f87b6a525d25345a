"""Every hostile request, through the Chalice test client: the right status, small and soon."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.conftest import Answer, App, Trained
from tests.hostile_requests import REQUESTS
from tests.hostile_requests.request import CANARY, Request
from tests.hostile_requests.ways_in import TestClient
from tests.serving.test_errors import is_error
from training.registry import ModelRegistry

# Generous for a busy machine; what it must catch is time that grows faster than the body.
SECONDS = 20
ANSWER_BYTES = 10_000


@pytest.fixture(scope="module")
def client(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The test client of an app that serves the wine model."""
    store = ModelRegistry(str(tmp_path_factory.mktemp("store")))
    store.publish(trained.built.artifact)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_URL", store.url)
        yield TestClient(App())


def assert_refused(request: Request, answer: Answer) -> None:
    """Check an answer for all that every error must be."""
    assert answer.status == request.status, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    if request.status == 200 or request.method == "HEAD":
        return
    assert is_error(answer.body)
    assert len(json.dumps(answer.body)) < ANSWER_BYTES
    assert CANARY not in json.dumps(answer.body)
    if request.at is not None:
        assert tuple(problem["at"] for problem in answer.body["problems"]) == request.at


@pytest.mark.parametrize("request_", [r for r in REQUESTS if TestClient.takes(r)], ids=str)
def test_a_hostile_request_is_refused(
    client: TestClient, request_: Request, capfd: pytest.CaptureFixture[str]
) -> None:
    """With its status, in the one shape, and without a value that was sent, in the log either."""
    start = time.monotonic()
    answer = client.send(request_)
    assert time.monotonic() - start < SECONDS
    assert_refused(request_, answer)
    printed = "".join(capfd.readouterr())
    assert CANARY not in printed
    assert "Traceback" not in printed
