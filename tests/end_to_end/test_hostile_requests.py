"""Every hostile request gets the same response through every transport."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.local.server import StrictRouteMatcher
from deployment.emulator.function import Function
from tests.hostile_requests import REQUESTS
from tests.hostile_requests.events import EVENTS
from tests.hostile_requests.rejections import assert_rejected
from tests.hostile_requests.request import CANARY, Request
from tests.hostile_requests.transports import HTTPClient, LambdaEvents, TestClient, Transport
from tests.support.app import App
from tests.support.models import WineModel, publish_to_folder
from tests.support.processes import StartServer
from training.registry import ModelRegistry


@pytest.fixture(scope="module")
def registry(trained: WineModel, tmp_path_factory: pytest.TempPathFactory) -> ModelRegistry:
    """A registry in a folder, in which the wine model is live."""
    return publish_to_folder(trained.built, tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def function(registry: ModelRegistry, code: Path) -> Iterator[Function]:
    """The built package on the Lambda emulator."""
    with Function(code, {"MODEL_URL": registry.url}) as function:
        yield function


@pytest.fixture(scope="module")
def transports(
    registry: ModelRegistry, start_server: StartServer, function: Function
) -> Iterator[list[Transport]]:
    """The test client, `make serve` and the function."""
    server = start_server(f"MODEL_URL={registry.url}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_URL", registry.url)
        app = App()
        routes = StrictRouteMatcher(list(app.module.app.routes))
        yield [TestClient(app), HTTPClient(server.port), LambdaEvents(function, routes)]


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_transport_rejects_a_hostile_request_alike(
    transports: list[Transport], request_: Request
) -> None:
    """Status, body and the Allow header are the same."""
    responses = [
        transport.send(request_) for transport in transports if transport.supports(request_)
    ]
    assert len(responses) > 1
    for response in responses:
        assert_rejected(request_, response)
        assert response.headers.get("Allow") == responses[0].headers.get("Allow")
        assert response.body is None or response.body == responses[0].body


@pytest.mark.parametrize(("status", "event"), EVENTS)
def test_every_event_gets_a_response_on_lambda(
    function: Function, status: int, event: object
) -> None:
    """Even an event that is not a request gets a status."""
    result = function.invoke(event)
    assert result.get("statusCode") == status, f"{result}\n{function.log}"


def test_function_logs_no_values_of_requests(function: Function) -> None:
    """The log of all the rejected requests has neither their values nor a traceback."""
    assert CANARY not in function.log
    assert "Traceback" not in function.log
