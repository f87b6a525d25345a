"""Every way in which the store can fail, under load, over sockets: no user sees any of it."""

from __future__ import annotations

import http.client
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

import boto3
import onnx
import pytest

from tests.support.app import App
from tests.support.artifacts import change_label, drop_feature, rewrite_manifest, set_format
from tests.support.fault_proxy import FaultProxy
from tests.support.load import CLIENTS, Load
from tests.support.models import Trained
from tests.support.processes import Server, StartServer
from tests.support.waiting import wait_until
from training.artifact import sign_artifact
from training.registry import ModelRegistry

KEY = "the key of these tests"
BUCKET = "faults"
PREFIX = "wine"
MAX_BYTES = 1_000_000
SAMPLE = json.dumps({"data": ".10"}).encode()


class World:
    """A store on S3 with a proxy in front of it, and what can be done to both."""

    def __init__(self, proxy: FaultProxy, endpoint: str, artifact: bytes) -> None:
        self.proxy = proxy
        self.artifact = artifact
        self.store = ModelRegistry(f"s3://{BUCKET}/{PREFIX}", KEY)
        self._s3 = boto3.client("s3", endpoint_url=endpoint)

    def put(self, body: bytes) -> None:
        """Overwrite `current`."""
        self._s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}/current", Body=body)

    def delete(self) -> None:
        """Delete `current`."""
        self._s3.delete_object(Bucket=BUCKET, Key=f"{PREFIX}/current")

    def heal(self) -> None:
        """Let S3 hold and give the model."""
        self.proxy.heal()
        self.put(sign_artifact(self.artifact, KEY))


class Fault(NamedTuple):
    """A way to fail, and how `GET /health` names it."""

    name: str
    strike: Callable[[World], None]
    reason: str


def answers(status: int, code: str) -> Callable[[World], None]:
    """Let S3 answer with one of its errors."""
    return lambda world: world.proxy.respond_with(status, code)


def holds(body: Callable[[bytes], bytes]) -> Callable[[World], None]:
    """Let the store hold what is made of the good artifact."""
    return lambda world: world.put(body(world.artifact))


def holds_signed(change: Callable[[dict[str, Any]], None]) -> Callable[[World], None]:
    """Let the store hold a manifest that is not true, signed as a publisher in error would."""
    return holds(lambda artifact: sign_artifact(rewrite_manifest(artifact, change), KEY))


def without_manifest(artifact: bytes) -> bytes:
    """Make a valid ONNX file of somebody else."""
    model = onnx.load_from_string(artifact)
    del model.metadata_props[:]
    serialized: bytes = model.SerializeToString()
    return serialized


NO_SEAL = "The object was not published by this project: it has no footer"
NOT_SIGNED = "The artifact is not signed with this function's key"
FAULTS = [
    Fault("connections refused", lambda world: world.proxy.refuse_connections(), "unreachable"),
    Fault("no answer", lambda world: world.proxy.hang(), "timed out"),
    Fault("403", answers(403, "AccessDenied"), "access denied"),
    Fault("object deleted", lambda world: world.delete(), "not found"),
    Fault("500", answers(500, "InternalError"), "the store returned 500 InternalError"),
    Fault("503", answers(503, "SlowDown"), "the store returned 503 SlowDown"),
    Fault("body cut short", lambda world: world.proxy.cut_short(world.artifact), "cut short"),
    Fault("empty object", holds(lambda _: b""), "The object is empty"),
    Fault("random bytes", holds(lambda _: os.urandom(5_000)), NO_SEAL),
    Fault("no manifest", holds(without_manifest), NO_SEAL),
    Fault(
        "flipped bit",
        holds(lambda it: b"\x09" + sign_artifact(it, KEY)[1:]),
        ".*SHA-256 differs",
    ),
    Fault("newer format", holds_signed(set_format), ".*format is 2; this code reads 1"),
    Fault("golden samples", holds_signed(change_label), ".*differ from scikit-learn's"),
    Fault("wrong signature", holds_signed(drop_feature), ".*do not fit its signature"),
    Fault("not signed", holds(lambda it: it), NOT_SIGNED),
    Fault("another key", holds(lambda it: sign_artifact(it, "no")), NOT_SIGNED),
    Fault("too large", holds(lambda _: b"x" * (MAX_BYTES + 1)), ".*1,000,001 bytes.*"),
]
each_fault = pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])


@pytest.fixture(scope="module")
def world(s3_endpoint: str, trained: Trained) -> Iterator[World]:
    """A store that is well."""
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
        world = World(proxy, s3_endpoint, trained.built.artifact)
        world.heal()
        yield world
        proxy.heal()


@pytest.fixture(scope="module")
def server(world: World, start_server: StartServer) -> Server:
    """`chalice local`, serving the store through the proxy."""
    return start_server(f"MODEL_URL={world.store.url}")


def health(port: int) -> dict[str, Any]:
    """Ask a server how it is."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/health")
        report: dict[str, Any] = json.loads(connection.getresponse().read())
        return report


@each_fault
def test_the_last_good_model_goes_on_serving(
    world: World, server: Server, fault: Fault, capsys: pytest.CaptureFixture[str], trained: Trained
) -> None:
    """No request fails, the reason is logged once and shown, and it heals by itself."""
    good = (trained.built.version, "1")
    with Load(server.port, SAMPLE) as load:
        load.wait_for_more(CLIENTS)
        logged = len(server.lines)
        fault.strike(world)
        wait_until(lambda: health(server.port)["degraded"], f"{fault.name} was never noticed")
        report = health(server.port)
        load.wait_for_more(100)
        world.heal()
        wait_until(lambda: not health(server.port)["degraded"], f"{fault.name} never healed")
        load.wait_for_more(CLIENTS)
    troubles = [line for line in server.lines[logged:] if "model store failure" in line]
    with capsys.disabled():
        print(
            f"\n{fault.name:20} sent {load.sent:5}, failed {len(load.failures)}, "
            f"by the good model {load.answers[good]:5}: {report['reason']}",
            end="",
        )
    assert load.failures == []
    assert set(load.answers) == {good}
    assert re.fullmatch(fault.reason, report["reason"])
    assert (report["ready"], report["version"]) == (True, trained.built.version)
    assert report["since"].endswith("+00:00")
    [trouble] = [json.loads(line) for line in troubles]
    assert trouble["reason"] == report["reason"]
    assert trouble["serving_version"] == trained.built.version
    assert KEY not in server.printed


@each_fault
def test_a_cold_start_without_a_usable_model_is_a_503_until_it_heals(
    world: World, start_app: Callable[..., App], fault: Fault
) -> None:
    """With the kind of failure; the first request after it succeeds."""
    app = start_app(MODEL_URL=world.store.url)
    fault.strike(world)
    try:
        refused, unwell = app.classify(".10"), app.request("GET", "/health")
    finally:
        world.heal()
    assert refused.status == unwell.status == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.body.keys() == {"error"}
    assert re.fullmatch(f"No model could be loaded: {fault.reason}\\.", refused.body["error"])
    assert unwell.body["error"] == refused.body["error"]
    assert (unwell.body["live"], unwell.body["ready"]) == (True, False)
    assert app.classify(".10").body == {"prediction": "1"}
    well = app.request("GET", "/health")
    assert (well.status, well.body["degraded"], well.body["reason"]) == (200, False, None)


def test_a_hanging_store_delays_one_request_and_no_other(world: World, server: Server) -> None:
    """By no more than the time limit; the others do not even notice."""
    with Load(server.port, SAMPLE) as load:
        load.wait_for_more(CLIENTS)
        passed = len(world.proxy.requests)
        world.proxy.hang()
        wait_until(lambda: health(server.port)["degraded"], "the hanging was never noticed")
        load.wait_for_more(200)
        world.heal()
    assert load.failures == []
    # While it hung nothing was answered, so that whatever went through did not wait for it.
    assert len(world.proxy.requests) - passed <= 1


def test_the_store_is_asked_once_an_interval_whoever_asks(
    world: World, start_server: StartServer
) -> None:
    """With a condition, so that an answer without news has no body; and nothing is listed."""
    server = start_server(f"MODEL_URL={world.store.url}", MODEL_REFRESH_SECONDS="0.5")
    with Load(server.port, SAMPLE) as load:
        load.wait_for_more(CLIENTS)
        start, before = time.monotonic(), len(world.proxy.requests)
        wait_until(lambda: len(world.proxy.requests) - before >= 4, "it was not asked again")
        seconds = time.monotonic() - start
        asked = world.proxy.requests[before:]
    assert len(asked) <= seconds / 0.5 + 1
    assert load.sent > len(asked) * 10
    for request in asked:
        assert (request.method, request.path) == ("GET", f"/{BUCKET}/{PREFIX}/current")
        assert (request.is_conditional, request.status, request.body_bytes) == (True, 304, 0)
