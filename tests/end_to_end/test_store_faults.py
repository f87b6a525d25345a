"""Faults of the store under load, over sockets: no request fails."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.app import App
from tests.support.fault_proxy import LoggedRequest
from tests.support.faulty_store import (
    BUCKET,
    FAULTS,
    KEY,
    PREFIX,
    SECRET,
    Fault,
    FaultyStore,
    faulty_store,
)
from tests.support.load import CLIENTS, Load
from tests.support.models import WineModel
from tests.support.processes import Server, StartServer
from tests.support.waiting import wait_until

SAMPLE = json.dumps({"data": ".10"}).encode()

# tests/serving/test_store_faults.py has the others, without load.
UNDER_LOAD = [
    "connections refused", "no response", "half a body, then nothing", "a body that trickles",
    "reset in the body", "500", "object deleted", "random bytes", "flipped bit", "another key",
    "too large",
]  # fmt: skip
UNDER_LOAD_FAULTS = [FAULTS[name] for name in UNDER_LOAD]
for_faults_under_load = pytest.mark.parametrize("fault", UNDER_LOAD_FAULTS, ids=UNDER_LOAD)


@pytest.fixture(scope="module")
def store(s3_endpoint: str, trained: WineModel) -> Iterator[FaultyStore]:
    """A store without a fault."""
    with faulty_store(s3_endpoint, trained.built.artifact) as store:
        yield store


@pytest.fixture(scope="module")
def server(store: FaultyStore, start_server: StartServer) -> Server:
    """A `chalice local` that reads the store through the proxy."""
    return start_server(f"MODEL_URL={store.registry.url}")


def health(port: int) -> dict[str, Any]:
    """Request the health of a server."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/health")
        report: dict[str, Any] = json.loads(connection.getresponse().read())
        return report


@for_faults_under_load
def test_the_last_good_model_keeps_serving(
    store: FaultyStore,
    server: Server,
    fault: Fault,
    capsys: pytest.CaptureFixture[str],
    trained: WineModel,
) -> None:
    """No request fails, the reason is logged and shown, and recovery is automatic."""
    good = (trained.built.version, "1")
    with Load(server.port, SAMPLE) as load:
        load.wait_for_more(CLIENTS)
        logged = len(server.lines)
        fault.inject(store)
        # A check that is under way may fail for another reason.
        wait_until(
            lambda: health(server.port)["reason"] == fault.reason, f"{fault.name}: not detected"
        )
        report = health(server.port)
        load.wait_for_more(100)
        store.heal()
        wait_until(lambda: not health(server.port)["degraded"], f"{fault.name}: not recovered")
        load.wait_for_more(CLIENTS)
    failures = [line for line in server.lines[logged:] if "model store failure" in line]
    with capsys.disabled():
        print(
            f"\n{fault.name:20} requests {load.total:5}, failed {len(load.failures)}, "
            f"by the good model {load.responses[good]:5}: {report['reason']}",
            end="",
        )
    assert load.failures == []
    assert set(load.responses) == {good}
    assert (report["ready"], report["version"]) == (True, trained.built.version)
    assert report["since"].endswith("+00:00")
    # On a busy machine a check may also fail as the fault begins or ends.
    logged_failures = [json.loads(line) for line in failures]
    assert fault.reason in {failure["reason"] for failure in logged_failures}
    assert all(f["serving_version"] == trained.built.version for f in logged_failures)
    assert SECRET not in server.printed
    assert KEY not in server.printed


def test_a_cold_start_without_a_usable_model_is_a_503_until_the_store_recovers(
    store: FaultyStore, start_app: Callable[..., App]
) -> None:
    """With the reason, which is the response of a second; the next attempt succeeds."""
    app = start_app(MODEL_URL=store.registry.url)
    fault = FAULTS["503"]
    fault.inject(store)
    try:
        rejected, unready = app.classify(".10"), app.request("GET", "/health")
    finally:
        store.heal()
    assert rejected.status == unready.status == 503
    assert int(rejected.headers["Retry-After"]) > 0
    assert rejected.body.keys() == {"error"}
    assert rejected.body["error"] == f"No model could be loaded: {fault.reason}."
    assert unready.body["error"] == rejected.body["error"]
    assert (unready.body["live"], unready.body["ready"]) == (True, False)
    wait_until(lambda: app.classify(".10").body == {"prediction": "1"}, "not recovered")
    ready = app.request("GET", "/health")
    assert (ready.status, ready.body["degraded"], ready.body["reason"]) == (200, False, None)


def test_a_hanging_store_delays_no_request(store: FaultyStore, server: Server) -> None:
    """None waits for the time limit."""
    with Load(server.port, SAMPLE) as load:
        load.wait_for_more(CLIENTS)
        before = len(store.proxy.requests)
        store.proxy.send(end="stall")
        wait_until(lambda: health(server.port)["degraded"], "hanging: not detected")
        load.wait_for_more(200)
        store.heal()
    assert load.failures == []
    # The proxy records requests that got a response, and while it hung there were none.
    assert len(store.proxy.requests) - before <= 1


# A clock that the test moves on: by as many seconds as a file has bytes.
SHIFTED_CLOCK = """
import os, time
real = time.monotonic
time.monotonic = lambda: real() + os.stat({path!r}).st_size
"""


def test_a_check_that_a_freeze_cut_is_no_failure(
    store: FaultyStore, start_server: StartServer, tmp_path: Path
) -> None:
    """After 1 second and after 10 minutes: the next request repeats the check beside it."""
    shift = tmp_path / "shift"
    shift.touch()
    (tmp_path / "sitecustomize.py").write_text(SHIFTED_CLOCK.format(path=str(shift)))
    server = start_server(
        f"MODEL_URL={store.registry.url}", MODEL_TIMEOUT_SECONDS="20", PYTHONPATH=str(tmp_path)
    )
    assert classify(server) == 200
    for seconds in (1, 600):
        store.proxy.send(end="stall")
        wait_until(lambda: classify(server) == 200 and store.proxy.reached.is_set(), "no check")
        with server.frozen():
            threading.Event().wait(1)  # the freeze; the clock jumps over the rest of the longer one
            shift.write_bytes(b"x" * (seconds - 1))
            store.heal()  # the connection breaks
            before = len(store.proxy.requests)
        assert classify(server) == 200
        assert wait_for_request(store, before).is_conditional
        assert not health(server.port)["degraded"]
    assert "failure" not in server.printed


def wait_for_request(store: FaultyStore, index: int) -> LoggedRequest:
    """Wait for a request to S3, and return it."""
    wait_until(lambda: len(store.proxy.requests) > index, "the store was not checked")
    return store.proxy.requests[index]


def classify(server: Server) -> int:
    """Send a sample and return the status of the response."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request("POST", "/classify", SAMPLE, {"Content-Type": "application/json"})
        return connection.getresponse().status


def test_the_store_is_checked_once_per_interval_under_load(
    store: FaultyStore, start_server: StartServer
) -> None:
    """With conditional requests, whose responses have no body, and no listing."""
    server = start_server(f"MODEL_URL={store.registry.url}", MODEL_REFRESH_SECONDS="0.5")
    with Load(server.port, SAMPLE) as load:
        load.wait_for_more(CLIENTS)
        start, before = time.monotonic(), len(store.proxy.requests)
        wait_until(
            lambda: len(store.proxy.requests) - before >= 4, "the store was not checked again"
        )
        seconds = time.monotonic() - start
        checks = store.proxy.requests[before:]
    assert len(checks) <= seconds / 0.5 + 1
    assert load.total > len(checks) * 10
    for request in checks:
        assert (request.method, request.path) == ("GET", f"/{BUCKET}/{PREFIX}/current")
        assert (request.is_conditional, request.status, request.body_bytes) == (True, 304, 0)
