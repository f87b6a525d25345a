"""Faults of the store under load, over sockets: no request fails."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

import boto3
import onnx
import pytest

from chalicelib.errors import Reason
from tests.support.app import App
from tests.support.artifacts import change_label, drop_feature, rewrite_manifest, set_format
from tests.support.fault_proxy import FaultProxy
from tests.support.load import CLIENTS, Load
from tests.support.models import WineModel
from tests.support.processes import Server, StartServer
from tests.support.waiting import wait_until
from training.registry import ModelRegistry, sign_artifact

KEY = "the key of these tests"
BUCKET = "faults"
PREFIX = "wine"
MAX_BYTES = 1_000_000
SAMPLE = json.dumps({"data": ".10"}).encode()


class FaultyStore:
    """A store on S3 behind a proxy that injects faults."""

    def __init__(self, proxy: FaultProxy, endpoint: str, artifact: bytes) -> None:
        self.proxy = proxy
        self.artifact = artifact
        self.registry = ModelRegistry(f"s3://{BUCKET}/{PREFIX}", KEY)
        self._s3 = boto3.client("s3", endpoint_url=endpoint)

    def put(self, body: bytes) -> None:
        """Overwrite `current`."""
        self._s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}/current", Body=body)

    def delete(self) -> None:
        """Delete `current`."""
        self._s3.delete_object(Bucket=BUCKET, Key=f"{PREFIX}/current")

    def heal(self) -> None:
        """Remove the fault and publish the model."""
        self.proxy.heal()
        self.put(sign_artifact(self.artifact, KEY))


class Fault(NamedTuple):
    """A fault, and the reason that `GET /health` gives for it."""

    name: str
    inject: Callable[[FaultyStore], None]
    reason: Reason


def s3_error(status: int, code: str) -> Callable[[FaultyStore], None]:
    """Return a fault: S3 responds with an error."""
    return lambda store: store.proxy.respond_with(status, code)


def stored(change: Callable[[bytes], bytes]) -> Callable[[FaultyStore], None]:
    """Return a fault: the store has a changed artifact."""
    return lambda store: store.put(change(store.artifact))


def signed(change: Callable[[dict[str, Any]], None]) -> Callable[[FaultyStore], None]:
    """Return a fault: the store has a wrong manifest with a valid signature."""
    return stored(lambda artifact: sign_artifact(rewrite_manifest(artifact, change), KEY))


def without_manifest(artifact: bytes) -> bytes:
    """Return a valid ONNX file without manifest and footer."""
    model = onnx.load_from_string(artifact)
    del model.metadata_props[:]
    serialized: bytes = model.SerializeToString()
    return serialized


FAULTS = [
    Fault("connections refused", lambda store: store.proxy.refuse_connections(), "unreachable"),
    Fault("no response", lambda store: store.proxy.hang(), "timed out"),
    Fault("403", s3_error(403, "AccessDenied"), "access denied"),
    Fault("object deleted", lambda store: store.delete(), "not found"),
    Fault("500", s3_error(500, "InternalError"), "store error"),
    Fault("503", s3_error(503, "SlowDown"), "throttled"),
    Fault("body cut short", lambda store: store.proxy.cut_short(store.artifact), "cut short"),
    Fault("empty object", stored(lambda _: b""), "empty object"),
    Fault("random bytes", stored(lambda _: os.urandom(5_000)), "not an artifact"),
    Fault("no manifest", stored(without_manifest), "not an artifact"),
    Fault(
        "flipped bit",
        stored(lambda artifact: b"\x09" + sign_artifact(artifact, KEY)[1:]),
        "damaged",
    ),
    Fault("newer format", signed(set_format), "unsupported format"),
    Fault("golden samples", signed(change_label), "wrong predictions"),
    Fault("wrong signature", signed(drop_feature), "unreadable manifest"),
    Fault("not signed", stored(lambda artifact: artifact), "not signed"),
    Fault("another key", stored(lambda artifact: sign_artifact(artifact, "no")), "not signed"),
    Fault("too large", stored(lambda _: b"x" * (MAX_BYTES + 1)), "too large"),
]
for_each_fault = pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])


@pytest.fixture(scope="module")
def store(s3_endpoint: str, trained: WineModel) -> Iterator[FaultyStore]:
    """A store without a fault."""
    with pytest.MonkeyPatch.context() as patch:
        proxy = FaultProxy(s3_endpoint)
        for name, value in {
            "AWS_ENDPOINT_URL": proxy.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "MODEL_URL": f"s3://{BUCKET}/{PREFIX}",
            "MODEL_REFRESH_SECONDS": "0.2",
            "MODEL_TIMEOUT_SECONDS": "0.5",
            "MODEL_MAX_BYTES": str(MAX_BYTES),
            "MODEL_SIGNING_KEY": KEY,
        }.items():
            patch.setenv(name, value)
        boto3.client("s3", endpoint_url=s3_endpoint).create_bucket(Bucket=BUCKET)
        store = FaultyStore(proxy, s3_endpoint, trained.built.artifact)
        store.heal()
        yield store
        proxy.heal()


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


@for_each_fault
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
        wait_until(lambda: health(server.port)["degraded"], f"{fault.name}: not detected")
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
    assert report["reason"] == fault.reason
    assert (report["ready"], report["version"]) == (True, trained.built.version)
    assert report["since"].endswith("+00:00")
    assert failures
    for failure in map(json.loads, failures):
        assert failure["reason"] == fault.reason
        assert failure["serving_version"] == trained.built.version
    assert KEY not in server.printed


@for_each_fault
def test_a_cold_start_without_a_usable_model_is_a_503_until_the_store_recovers(
    store: FaultyStore, start_app: Callable[..., App], fault: Fault
) -> None:
    """With the reason, which is the response of a second; the next attempt succeeds."""
    app = start_app(MODEL_URL=store.registry.url)
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
        store.proxy.hang()
        wait_until(lambda: health(server.port)["degraded"], "hanging: not detected")
        load.wait_for_more(200)
        store.heal()
    assert load.failures == []
    # The proxy records requests that got a response, and while it hung there were none.
    assert len(store.proxy.requests) - before <= 1


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
