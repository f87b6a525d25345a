"""Every hostile request, through every way in that can say it: the same answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.local.server import Routes
from deployment.emulator.function import Function
from tests.hostile_requests import REQUESTS
from tests.hostile_requests.events import EVENTS
from tests.hostile_requests.rejections import assert_rejected
from tests.hostile_requests.request import CANARY, Request
from tests.hostile_requests.ways_in import Events, Socket, TestClient, WayIn
from tests.support.app import App
from tests.support.lambda_function import code as code
from tests.support.lambda_function import package as package
from tests.support.lambda_function import unpacked as unpacked
from tests.support.models import Trained
from tests.support.processes import StartServer
from training.registry import ModelRegistry


@pytest.fixture(scope="module")
def store(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> ModelRegistry:
    """A store in a folder, in which the wine model is live."""
    store = ModelRegistry(str(tmp_path_factory.mktemp("store")))
    store.publish(trained.built.artifact)
    return store


@pytest.fixture(scope="module")
def function(store: ModelRegistry, code: Path) -> Iterator[Function]:
    """The built package on the Lambda emulator."""
    with Function(code, {"MODEL_URL": store.url}) as function:
        yield function


@pytest.fixture(scope="module")
def ways_in(
    store: ModelRegistry, start_server: StartServer, function: Function
) -> Iterator[list[WayIn]]:
    """The test client, `make serve`, and the function."""
    server = start_server(f"MODEL_URL={store.url}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_URL", store.url)
        app = App()
        routes = Routes(list(app.module.app.routes))
        yield [TestClient(app), Socket(server.port), Events(function, routes)]


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_a_hostile_request_is_refused_alike_everywhere(
    ways_in: list[WayIn], request_: Request
) -> None:
    """With the same status, the same words and the same headers that matter."""
    answers = [way_in.send(request_) for way_in in ways_in if way_in.takes(request_)]
    assert len(answers) > 1
    for answer in answers:
        assert_rejected(request_, answer)
        assert answer.headers.get("Allow") == answers[0].headers.get("Allow")
        assert answer.body is None or answer.body == answers[0].body


@pytest.mark.parametrize(("status", "event"), EVENTS)
def test_every_event_is_answered_on_lambda(function: Function, status: int, event: object) -> None:
    """Even one that is no request."""
    answer = function.invoke(event)
    assert answer.get("statusCode") == status, f"{answer}\n{function.log}"


def test_nothing_is_logged_of_what_was_sent(function: Function) -> None:
    """However many requests were refused before."""
    assert CANARY not in function.log
    assert "Traceback" not in function.log
