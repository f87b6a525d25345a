"""Each request gets one line in the log."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from benchmarks.in_process import make_event
from benchmarks.packages import Request
from chalicelib.rest import events
from tests.hostile_requests.events import event
from tests.hostile_requests.request import CANARY, ONES
from tests.support.app import App
from tests.support.log import logged
from tests.support.models import WineModel
from training.registry import ModelRegistry

REQUEST_ID = "0d9f3e8c-1b2c-4d5e-8f90-123456789abc"
MAX_BYTES = 300


class Context:
    """What Lambda passes beside the event."""

    aws_request_id = REQUEST_ID


@pytest.fixture
def app(start_app: Callable[..., App], wine_store: ModelRegistry) -> App:
    """The app, logging every request."""
    return start_app(MODEL_URL=wine_store.url, LOG_LEVEL="info")


@pytest.mark.parametrize(
    ("method", "path", "body", "line"),
    [
        ("POST", "/classify", {"data": 1}, {"status": 200, "rows": 1}),
        ("POST", "/classify", {"data": [ONES] * 3}, {"status": 200, "rows": 3}),
        ("POST", "/invocations", {"instances": [ONES]}, {"status": 200, "rows": 1}),
        ("GET", "/health", None, {"status": 200}),
        ("GET", "/nowhere", None, {"status": 404, "kind": "unknown"}),
        ("GET", "/v2/models/other", None, {"status": 404, "kind": "unknown"}),
        ("GET", "/classify", None, {"status": 405, "kind": "unsupported"}),
        ("POST", "/classify", None, {"status": 400, "kind": "malformed"}),
        ("OPTIONS", "/classify", None, {"status": 405, "kind": "unsupported"}),
        ("POST", "/classify", {"data": [[1]]}, {"status": 422, "kind": "invalid"}),
        ("POST", "/classify", {"data": [ONES] * 5}, {"status": 413, "kind": "too_large"}),
    ],
)
def test_a_request_gets_one_line_with_the_id_of_its_response(
    app: App,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    method: str,
    path: str,
    body: object,
    line: dict[str, object],
) -> None:
    """Whatever its status is."""
    monkeypatch.setenv("MODEL_MAX_ROWS", "4")
    response = app.request(method, path, b"" if body is None else json.dumps(body).encode())
    [written] = logged(capfd.readouterr().out, "request")
    assert written["request_id"] == response.headers["X-Request-Id"]
    assert (written["method"], written["cold"]) == (method, True)
    assert line.items() <= written.items()
    assert ("rows" in written) == ("rows" in line)


def test_the_line_has_lambdas_id_the_version_and_the_times(
    app: App, trained: WineModel, capfd: pytest.CaptureFixture[str]
) -> None:
    """The parts add up to the whole; only the first request is cold."""
    for _ in range(2):
        response = app.module.app(event(), Context)
        assert response["headers"]["X-Request-Id"] == REQUEST_ID
    first, second = logged(capfd.readouterr().out, "request")
    assert (first["cold"], second["cold"]) == (True, False)
    assert (second["request_id"], second["version"]) == (REQUEST_ID, trained.built.version)
    parts = [second[f"{part}_ms"] for part in ("parse", "model", "write")]
    assert min(parts) >= 0
    assert sum(parts) == pytest.approx(second["ms"], abs=0.005)


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        ({"ash": "x"}, ["type"]),
        ({"alcohl": 1}, ["unknown"]),
        ([1e308] * 13, ["range"]),
        ([[None] * 13], ["missing"]),
        ([[1], {"ash": "x"}], ["form"]),
        ([{"ash": "x", "alcohl": 1}, {"hue": 1e308}], ["range", "type", "unknown"]),
    ],
)
def test_the_line_of_an_invalid_request_has_the_kinds_of_its_problems(
    app: App, capfd: pytest.CaptureFixture[str], data: object, kinds: list[str]
) -> None:
    """Not what the request holds."""
    assert app.classify(data).status == 422
    [line] = logged(capfd.readouterr().out, "request")
    assert (line["kind"], line["problems"]) == ("invalid", kinds)


@pytest.mark.parametrize("request_id", [CANARY, "", None, 7, "a" * 65, "1\n2"])
def test_an_id_that_lambda_did_not_make_is_replaced(
    app: App, capfd: pytest.CaptureFixture[str], request_id: Any
) -> None:
    """Neither a header nor a line can be forged with it."""
    context = type("Context", (), {"aws_request_id": request_id})
    response = app.module.app(event(), context)
    [line] = logged(capfd.readouterr().out, "request")
    assert line["request_id"] == response["headers"]["X-Request-Id"] != request_id
    assert len(line["request_id"]) == 32


def test_a_request_whose_handler_fails_is_logged_once(
    app: App, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Lambda then reports the error; the line says that it was one."""

    def fail(*_: object) -> None:
        raise MemoryError(CANARY)

    monkeypatch.setattr(events, "call_view", fail)
    with pytest.raises(MemoryError):
        app.module.app(event(), Context)
    output = capfd.readouterr().out
    [line] = logged(output, "request")
    assert (line["status"], line["kind"], CANARY in output) == (500, "internal", False)


def test_a_method_that_no_route_has_is_not_repeated(
    app: App, capfd: pytest.CaptureFixture[str]
) -> None:
    """It may hold anything."""
    context = {"httpMethod": CANARY, "resourcePath": "/classify"}
    app.module.app(event(requestContext=context), Context)
    output = capfd.readouterr().out
    assert (logged(output, "request")[0]["method"], CANARY in output) == ("other", False)


@pytest.mark.parametrize(
    ("settings", "statuses"),
    [
        ({"LOG_LEVEL": "info"}, [200, 422, 503]),
        ({"LOG_LEVEL": "warning"}, [422, 503]),
        ({"LOG_LEVEL": "error"}, [503]),
        ({}, [503]),
        ({"LOG_LEVEL": "info", "LOG_SAMPLE": "0"}, [422, 503]),
    ],
)
def test_the_level_sets_which_requests_get_a_line(
    start_app: Callable[..., App],
    wine_store: ModelRegistry,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    statuses: list[int],
) -> None:
    """Off Lambda those that fail, as `chalice local` prints a line for each anyway."""
    app = start_app(MODEL_URL=wine_store.url, **settings)
    app.classify(1)
    app.classify("x")
    app.module.service._models = None
    monkeypatch.setattr("chalicelib.service.ObjectStore", FailingStore)
    app.classify(1)
    lines = logged(capfd.readouterr().out, "request")
    assert [line["status"] for line in lines] == statuses
    assert lines[-1]["kind"] == "unavailable"


class FailingStore:
    """A store that cannot be read."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def fetch(self, *_: object, **__: object) -> None:
        """Fail."""
        raise OSError


def test_a_share_of_the_successful_requests_is_logged(
    start_app: Callable[..., App], wine_store: ModelRegistry, capfd: pytest.CaptureFixture[str]
) -> None:
    """The first one, and then at equal distances; each that fails."""
    app = start_app(MODEL_URL=wine_store.url, LOG_LEVEL="info", LOG_SAMPLE="0.25")
    for data in [1, 1, "x", 1, 1, 1, 1, "x", 1, 1]:
        app.classify(data)
    statuses = [line["status"] for line in logged(capfd.readouterr().out, "request")]
    assert statuses == [200, 422, 200, 422]


def test_lines_of_several_threads_do_not_mix(app: App, capfd: pytest.CaptureFixture[str]) -> None:
    """`chalice local` handles requests in threads: each has its own id."""

    def send(rows: int) -> tuple[str, int]:
        body = json.dumps({"data": [ONES] * rows})
        response = app.module.app(event(body=body), None)
        return response["headers"]["X-Request-Id"], rows

    with ThreadPoolExecutor(8) as pool:
        sent = set(pool.map(send, range(1, 200)))
    lines = logged(capfd.readouterr().out, "request")
    assert {(line["request_id"], line["rows"]) for line in lines} == sent
    assert sum(line["cold"] for line in lines) == 1


INFER = "/v2/models/{model_name}/infer"
TENSOR = {"name": "input", "shape": [1, 13], "datatype": "FP64", "data": ONES}
PLAIN = [
    Request("/classify", {"data": ONES}),
    Request("/invocations", {"instances": [ONES]}),
    Request("/v2/models/wine/infer", {"inputs": [TENSOR]}),
]


@pytest.mark.parametrize("request_", PLAIN, ids=lambda request: request.path)
def test_the_line_of_a_plain_request_is_small(
    app: App, capfd: pytest.CaptureFixture[str], request_: Request
) -> None:
    """Logs are paid for by size."""
    plain_event = make_event(request_)
    if "infer" in request_.path:
        plain_event["requestContext"]["resourcePath"] = INFER
        plain_event["pathParameters"] = {"model_name": "wine"}
    for _ in range(2):
        assert app.module.app(plain_event, Context)["statusCode"] == 200
    line = capfd.readouterr().out.splitlines()[-1]
    assert len(line) + 1 <= MAX_BYTES, line
