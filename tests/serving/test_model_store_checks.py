"""Checks of the model store that run beside requests, and freezes that cut them."""

from __future__ import annotations

import queue
import threading

import pytest

from chalicelib.errors import ModelUnavailable, StoreError
from chalicelib.settings import Settings
from chalicelib.store import model_store
from chalicelib.store.check import Check
from chalicelib.store.freezes import FREEZE_SECONDS
from chalicelib.store.model_store import MAX_FETCHES, MAX_WAIT_SECONDS, ModelStore
from chalicelib.store.object_store import StoredObject
from tests.support.fake_objects import FakeClock, FakeObjects, MakeStore
from tests.support.models import WineModel
from tests.support.waiting import wait_until
from training.artifact import BuiltModel


class SlowObjects(FakeObjects):
    """An object store whose fetches, but for the first, wait until the test says how they end."""

    def __init__(self, artifact: bytes) -> None:
        super().__init__(artifact)
        self.begun = threading.Semaphore(0)
        self._outcomes: queue.Queue[StoreError | None] = queue.Queue()

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Wait for `finish`."""
        if if_none_match is not None:
            self.begun.release()
            self.error = self._outcomes.get()
        return super().fetch(name, if_none_match=if_none_match, max_bytes=max_bytes)

    def wait_for_fetch(self) -> None:
        """Wait until one more fetch has begun."""
        assert self.begun.acquire(timeout=10)

    def finish(self, error: StoreError | None = None) -> None:
        """Release a blocked fetch, with an error or without."""
        self._outcomes.put(error)


@pytest.fixture
def slow(trained: WineModel) -> SlowObjects:
    """A slow object store with the wine model."""
    return SlowObjects(trained.built.artifact)


@pytest.fixture
def checked_beside(slow: SlowObjects, clock: FakeClock) -> ModelStore:
    """A model store on the slow object store, with a model loaded; an interval is 60 seconds."""
    store = ModelStore(slow, Settings("s3://bucket/prefix", refresh_seconds=60), clock)
    store.current()
    return store


def test_one_request_may_wait_for_a_check(clock: FakeClock) -> None:
    """And one more after each freeze."""
    check = Check(clock)
    assert [check.claim_wait(), check.claim_wait()] == [True, False]
    clock.now += FREEZE_SECONDS
    assert [check.claim_wait(), check.claim_wait()] == [True, False]


def test_a_check_delays_no_request(
    checked_beside: ModelStore,
    slow: SlowObjects,
    clock: FakeClock,
    all_required: BuiltModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The model that is loaded serves until a newer one is."""
    monkeypatch.setattr(model_store, "MAX_WAIT_SECONDS", 60)
    slow.stored = StoredObject(all_required.artifact, "2")
    clock.now = 119
    for _ in range(3):
        assert checked_beside.current().manifest.name == "wine"
    slow.wait_for_fetch()
    slow.finish()
    wait_until(
        lambda: checked_beside.current().manifest.name == "all_required", "the model is not loaded"
    )
    assert slow.fetches == [None, "1"]


def test_a_request_with_a_stale_model_waits_for_the_check(
    checked_beside: ModelStore,
    slow: SlowObjects,
    clock: FakeClock,
    all_required: BuiltModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After two intervals without a check; Lambda may freeze the process after this request."""
    monkeypatch.setattr(model_store, "MAX_WAIT_SECONDS", 60)
    slow.stored = StoredObject(all_required.artifact, "2")
    clock.now = 120
    slow.finish()
    assert checked_beside.current().manifest.name == "all_required"


def test_only_one_request_waits_for_a_check(
    checked_beside: ModelStore,
    slow: SlowObjects,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others are served at once, however stale the model is."""
    monkeypatch.setattr(model_store, "MAX_WAIT_SECONDS", 60)
    clock.now = 120
    waiting = threading.Thread(target=checked_beside.current)
    waiting.start()
    slow.wait_for_fetch()
    checked_beside.current()
    assert waiting.is_alive()
    slow.finish()
    waiting.join()


def test_a_request_waits_for_a_moment_only(
    checked_beside: ModelStore, slow: SlowObjects, clock: FakeClock
) -> None:
    """A store that hangs then costs no one more."""
    clock.now = 120
    assert checked_beside.current().manifest.name == "wine"
    slow.wait_for_fetch()
    assert MAX_WAIT_SECONDS <= 0.1
    slow.finish()


@pytest.mark.parametrize("seconds", [1, 600])
def test_a_fetch_that_a_freeze_cut_is_repeated_at_once(
    checked_beside: ModelStore,
    slow: SlowObjects,
    clock: FakeClock,
    seconds: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its failure is not the store's: it is neither logged nor shown."""
    clock.now = 60
    checked_beside.current()
    slow.wait_for_fetch()
    clock.now += seconds  # Lambda froze the process
    slow.finish(StoreError("timed out", "No."))
    slow.wait_for_fetch()
    assert checked_beside.health().reason is None
    slow.finish()
    wait_until(lambda: slow.fetches == [None, "1", "1"], "not repeated")
    assert checked_beside.health().reason is None
    assert "failure" not in capsys.readouterr().out


def test_after_a_freeze_one_more_request_waits(
    checked_beside: ModelStore,
    slow: SlowObjects,
    clock: FakeClock,
    all_required: BuiltModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sparse requests would otherwise never see a check end."""
    slow.stored = StoredObject(all_required.artifact, "2")
    clock.now = 60
    assert checked_beside.current().manifest.name == "wine"
    slow.wait_for_fetch()
    clock.now = 660
    monkeypatch.setattr(model_store, "MAX_WAIT_SECONDS", 60)
    slow.finish(StoreError("timed out", "No."))
    slow.finish()
    assert checked_beside.current().manifest.name == "all_required"


def test_a_check_that_every_freeze_cuts_fails(
    checked_beside: ModelStore, slow: SlowObjects, clock: FakeClock
) -> None:
    """So that somebody learns of it."""
    clock.now = 60
    checked_beside.current()
    for _ in range(MAX_FETCHES):
        slow.wait_for_fetch()
        clock.now += 600
        slow.finish(StoreError("timed out", "No."))
    wait_until(lambda: checked_beside.health().reason == "interrupted", "not reported")


def test_a_failure_without_a_freeze_is_the_stores(
    checked_beside: ModelStore, slow: SlowObjects, clock: FakeClock
) -> None:
    """It is not repeated before the backoff ends."""
    clock.now = 60
    checked_beside.current()
    slow.wait_for_fetch()
    clock.now += FREEZE_SECONDS / 2
    slow.finish(StoreError("timed out", "No."))
    wait_until(lambda: checked_beside.health().reason == "timed out", "not reported")
    assert slow.fetches == [None, "1"]


def test_a_process_without_threads_keeps_serving(objects: FakeObjects, clock: FakeClock) -> None:
    """No check can start then, which the health shows."""

    def fail(_: object) -> None:
        raise RuntimeError("can't start new thread")

    store = ModelStore(objects, Settings("s3://bucket/prefix"), clock, start=fail)
    good = store.current()
    clock.now = 60
    assert store.current() is good
    assert store.health().reason == "internal error"


def test_a_stalled_store_delays_no_request_that_knows_the_reason(
    make_store: MakeStore,
    objects: FakeObjects,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a model, one request waits for an attempt; the others get the last failure."""
    store = make_store(60)
    objects.error = StoreError("timed out", "No.")
    with pytest.raises(ModelUnavailable):
        store.current()
    clock.now = 10
    begun, end = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> StoredObject:
        begun.set()
        end.wait(10)
        return objects.stored

    monkeypatch.setattr(objects, "fetch", hang)
    slow_request = threading.Thread(target=store.current)
    slow_request.start()
    assert begun.wait(10)
    with pytest.raises(ModelUnavailable, match="timed out"):
        store.current()
    assert slow_request.is_alive()
    end.set()
    slow_request.join()
    assert store.current().manifest.name == "wine"
