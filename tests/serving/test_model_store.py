"""The model store, on a fake object store and a fake clock; checks run in the request's thread."""

from __future__ import annotations

import json
import threading

import pytest

from chalicelib.errors import ModelUnavailable, Reason, StoreError
from chalicelib.settings import Settings
from chalicelib.store.object_store import StoredObject
from chalicelib.store.signing_keys import SigningKeys
from tests.support.fake_objects import FakeClock, FakeObjects, MakeStore
from tests.support.models import WineModel
from training.artifact import BuiltModel


def test_nothing_is_fetched_before_the_first_request(
    make_store: MakeStore, objects: FakeObjects
) -> None:
    """Importing the app needs no network."""
    make_store(60)
    assert objects.fetches == []


def test_the_store_is_checked_once_per_interval(
    make_store: MakeStore, objects: FakeObjects, clock: FakeClock
) -> None:
    """With a conditional request after the first."""
    store = make_store(60)
    for clock.now in (0, 1, 59.9):
        store.current()
    assert objects.fetches == [None]
    for clock.now in (60, 61, 119.9, 120):
        store.current()
    assert objects.fetches == [None, "1", "1"]


@pytest.mark.parametrize("now", [-1e9, 0, 1e9])
def test_a_restored_process_checks_at_once_with_its_new_connections(
    make_store: MakeStore,
    objects: FakeObjects,
    clock: FakeClock,
    all_required: BuiltModel,
    now: float,
) -> None:
    """Whatever the clock says; then once per interval again."""
    store = make_store(60)
    old = store.current().manifest.version
    others, clock.now = FakeObjects(all_required.artifact, "2"), now
    store.reopen(others, SigningKeys(Settings("s3://bucket/prefix")))
    assert store.current().manifest.version == all_required.version != old
    assert (objects.fetches, others.fetches) == ([None], ["1"])
    clock.now += 60
    store.current()
    assert others.fetches == ["1", "2"]


def test_a_restored_process_keeps_its_model_if_the_store_fails(
    make_store: MakeStore, trained: WineModel
) -> None:
    """A restore never fails because of the store."""
    store = make_store(60)
    store.current()
    others = FakeObjects(trained.built.artifact)
    others.error = StoreError("timed out", "The request timed out.")
    store.reopen(others, SigningKeys(Settings("s3://bucket/prefix")))
    assert store.current().manifest.version == trained.built.version
    assert store.health().reason == "timed out"


def test_a_restored_process_without_a_model_loads_one_with_the_first_request(
    make_store: MakeStore, objects: FakeObjects, trained: WineModel
) -> None:
    """The failure of before does not delay it."""
    store = make_store(60)
    objects.error = StoreError("timed out", "The request timed out.")
    with pytest.raises(ModelUnavailable):
        store.current()
    others = FakeObjects(trained.built.artifact)
    store.reopen(others, SigningKeys(Settings("s3://bucket/prefix")))
    assert others.fetches == []
    assert store.current().manifest.version == trained.built.version


def test_an_interval_of_0_checks_on_every_request(
    make_store: MakeStore, objects: FakeObjects
) -> None:
    """A new model is then live at once."""
    store = make_store(0)
    for _ in range(3):
        store.current()
    assert objects.fetches[0] is None
    assert set(objects.fetches[1:]) == {"1"}
    assert len(objects.fetches) >= 3


def test_a_new_model_replaces_the_old_one(
    make_store: MakeStore, objects: FakeObjects, clock: FakeClock, all_required: BuiltModel
) -> None:
    """At the end of the interval, without a restart."""
    store = make_store(60)
    assert store.current().manifest.name == "wine"
    objects.stored = StoredObject(all_required.artifact, "2")
    assert store.current().manifest.name == "wine"
    clock.now = 60
    assert store.current().manifest.name == "all_required"


@pytest.mark.parametrize(
    "fault",
    [StoreError("store failure", "It broke."), StoredObject(b"", "2"), StoredObject(b"junk", "2")],
)
def test_the_last_good_model_stays_live(
    make_store: MakeStore, objects: FakeObjects, clock: FakeClock, fault: StoreError | StoredObject
) -> None:
    """When the store fails and when the new model is corrupt."""
    store = make_store(60)
    good = store.current()
    if isinstance(fault, StoreError):
        objects.error = fault
    else:
        objects.stored = fault
    clock.now = 60
    assert store.current() is good


def test_without_a_model_one_request_a_second_tries_to_load_one(
    make_store: MakeStore, objects: FakeObjects, clock: FakeClock
) -> None:
    """The others get its error; the first attempt after the store recovers succeeds."""
    store = make_store(60)
    objects.error = StoreError("access denied", "No.")
    for clock.now in (0, 0.5, 0.9, 1, 1.9):
        with pytest.raises(ModelUnavailable, match="access denied"):
            store.current()
    assert len(objects.fetches) == 2
    objects.error = None
    clock.now = 2
    assert store.current().manifest.name == "wine"


def test_many_threads_load_the_model_once(make_store: MakeStore, objects: FakeObjects) -> None:
    """Even if they arrive at the same time."""
    store = make_store(60)
    start = threading.Barrier(8)

    def request() -> None:
        start.wait()
        store.current()

    threads = [threading.Thread(target=request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert objects.fetches == [None]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [(60.0, [60, 120, 240, 480, 780, 1080]), (0.0, [0, 1, 3, 7, 15, 31])],
)
def test_backoff_doubles_while_the_store_fails(
    make_store: MakeStore,
    objects: FakeObjects,
    clock: FakeClock,
    interval: float,
    expected: list[float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Up to five minutes. Each check that fails is logged, for the alarm."""
    store = make_store(interval)
    store.current()
    objects.fetches.clear()
    objects.error = StoreError("unreachable", "No.")
    checks: list[float] = []
    for clock.now in range(1100):
        store.current()
        if objects.fetches:
            checks.append(clock.now)
            objects.fetches.clear()
    assert checks[:6] == expected
    assert capsys.readouterr().out.count("model store failure") == len(checks)


def test_without_a_model_a_failure_is_logged_when_its_reason_changes(
    make_store: MakeStore,
    objects: FakeObjects,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not for each request, of which there may be many."""
    store = make_store(1)
    reasons: list[Reason] = ["unreachable", "timed out", "timed out", "unreachable"]
    for clock.now, reason in enumerate(reasons):
        clock.now *= 10
        objects.error = StoreError(reason, "No.")
        with pytest.raises(ModelUnavailable):
            store.current()
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line["reason"] for line in lines] == ["unreachable", "timed out", "unreachable"]


def test_health_reports_a_failure_until_the_store_recovers(
    make_store: MakeStore,
    objects: FakeObjects,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the latest reason and the time of the first failure."""
    store = make_store(1)
    good = store.current().manifest.version
    assert store.health() == (good, None, None)
    times = set()
    failures: list[Reason] = ["unreachable", "timed out"]
    for clock.now, failure in enumerate(failures, start=1):
        clock.now *= 10
        objects.error = StoreError(failure, "No.")
        store.current()
        version, since, reason = store.health()
        assert (version, reason) == (good, failure)
        times.add(since)
    assert len(times) == 1
    objects.error = None
    clock.now = 100
    store.current()
    assert store.health() == (good, None, None)
    assert capsys.readouterr().out.count("model store failure") == 2


class CountingLock:
    """A lock that counts the threads that reach it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.arrivals = threading.Semaphore(0)

    def __enter__(self) -> None:
        self.arrivals.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_threads_that_wait_share_one_failure(
    make_store: MakeStore, objects: FakeObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that hangs delays all of them once, not one after the other."""
    store = make_store(60)
    lock = CountingLock()
    monkeypatch.setattr(store, "_loading", lock)
    all_arrived = threading.Event()

    def hang(*_: object, **__: object) -> None:
        objects.fetches.append(None)
        all_arrived.wait(10)
        raise StoreError("timed out", "No.")

    monkeypatch.setattr(objects, "fetch", hang)
    failures = []

    def request() -> None:
        with pytest.raises(ModelUnavailable) as caught:
            store.current()
        failures.append(caught.value.reason)

    threads = [threading.Thread(target=request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert lock.arrivals.acquire(timeout=10)
    all_arrived.set()
    for thread in threads:
        thread.join()
    assert failures == ["timed out"] * 8
    assert objects.fetches == [None]


def test_an_unexpected_error_keeps_the_last_good_model(
    make_store: MakeStore,
    objects: FakeObjects,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Health shows fixed words only, and the log the type of the error, not its message."""
    store = make_store(60)
    good = store.current()
    clock.now = 60

    def fail(*_: object, **__: object) -> None:
        raise MemoryError("a secret")

    monkeypatch.setattr(objects, "fetch", fail)
    assert store.current() is good
    assert store.health().reason == "internal error"
    logged = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (logged["reason"], logged["detail"]) == ("internal error", "MemoryError")
