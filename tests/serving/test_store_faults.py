"""Every kind of fault of the store: what is served, and the reason that is given.

The model store reads a store on S3 through a proxy; only its clock is fake.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from obstore.exceptions import BaseError

from chalicelib.errors import ModelUnavailable, Reason, StoreError
from chalicelib.settings import Settings
from chalicelib.store.model_store import ModelStore
from chalicelib.store.object_store import ObjectStore, translated_errors
from tests.support.faulty_store import FAULTS, Fault, FaultyStore, faulty_store
from tests.support.models import WineModel
from tests.support.waiting import wait_until

for_each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


@pytest.fixture(scope="module")
def store(s3_endpoint: str, trained: WineModel) -> Iterator[FaultyStore]:
    """A store without a fault."""
    with faulty_store(s3_endpoint, trained.built.artifact) as store:
        yield store


def open_store(clock: Clock) -> ModelStore:
    """Open the store of the environment variables, with a short time limit."""
    settings = Settings.from_environ(os.environ)._replace(timeout_seconds=0.3, refresh_seconds=60)
    objects = ObjectStore(settings.model_url, timeout_seconds=settings.timeout_seconds)
    return ModelStore(objects, settings, clock)


@for_each_fault
def test_the_last_good_model_is_served_and_the_reason_named(
    store: FaultyStore, fault: Fault
) -> None:
    """Until the store recovers."""
    clock = Clock()
    models = open_store(clock)
    good = models.current()
    fault.inject(store)
    try:
        clock.now += 1_000
        assert models.current() is good
        wait_until(lambda: models.health().reason is not None, "not detected")
        assert models.health().reason == fault.reason
        assert models.current() is good
    finally:
        store.heal()
    clock.now += 1_000
    wait_until(lambda: models.current() and not models.health().reason, "not recovered")
    assert models.current().manifest.version == good.manifest.version


@for_each_fault
def test_a_cold_start_names_the_reason(
    store: FaultyStore, fault: Fault, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same as that of a server with a model; the log has a sentence about it too."""
    fault.inject(store)
    try:
        with pytest.raises(ModelUnavailable) as caught:
            open_store(Clock()).current()
    finally:
        store.heal()
    assert caught.value.reason == fault.reason
    [logged] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (logged["event"], logged["reason"]) == ("model store failure", fault.reason)
    assert logged["detail"] not in get_args(Reason)
    assert " " in logged["detail"]


def test_credentials_that_cannot_be_found_are_named(
    store: FaultyStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Outside Lambda, boto3 looks for them in the environment, in files and on the network."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StoreError, match="aws configure") as caught:
        ObjectStore(store.registry.url, timeout_seconds=1).fetch("current")
    assert caught.value.reason == "no credentials"


def test_a_304_without_a_loaded_model_is_named(store: FaultyStore) -> None:
    """A cache or proxy may send one; with a model loaded, it means that the model is live."""
    store.proxy.send(b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n')
    try:
        with pytest.raises(ModelUnavailable, match="not modified"):
            open_store(Clock()).current()
    finally:
        store.heal()


@pytest.mark.parametrize(
    ("status", "reason"), [(502, "store error"), (599, "store error"), (302, "unexpected response")]
)
def test_a_status_alone_tells_the_stores_fault_from_others(status: int, reason: str) -> None:
    """A load balancer or proxy in front of a store sends no code of S3's."""
    with pytest.raises(StoreError) as caught, translated_errors("s3://models/wine/current"):
        raise BaseError(f"Error performing GET: response error, status code: {status}")
    assert caught.value.reason == reason


@pytest.mark.parametrize("retries", [0, 1])
def test_a_failed_call_is_repeated_as_often_as_it_may_be(store: FaultyStore, retries: int) -> None:
    """Not at all by default: a request may be waiting."""
    options: dict[str, Any] = {"retries": retries} if retries else {}
    objects = ObjectStore(store.registry.url, timeout_seconds=5, **options)
    store.proxy.fault = lambda handler: handler.respond(500, b"", {})
    sent = len(store.proxy.requests)
    try:
        with pytest.raises(StoreError, match="S3 returned 500"):
            objects.fetch("current")
    finally:
        store.heal()
    assert len(store.proxy.requests) - sent == 1 + retries


def test_an_unknown_host_is_named(store: FaultyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that of a region which does not exist."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://s3.no-such-region.invalid")
    with pytest.raises(ModelUnavailable, match="unknown host"):
        open_store(Clock()).current()
