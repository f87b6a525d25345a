"""The model store, on a fake object store and a fake clock."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from chalicelib.errors import ModelUnavailable, Reason, StoreError
from chalicelib.settings import Settings
from chalicelib.store.model_store import ModelStore
from chalicelib.store.object_store import StoredObject
from tests.support.models import WineModel
from training.artifact import BuiltModel


class FakeObjects:
    """One object in memory, with a record of the fetches."""

    def __init__(self, artifact: bytes, etag: str = "1") -> None:
        self.stored = StoredObject(artifact, etag)
        self.error: StoreError | None = None
        self.fetches: list[str | None] = []

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Behave as `ObjectStore.fetch` does."""
        assert name == "current"
        self.fetches.append(if_none_match)
        if self.error is not None:
            raise self.error
        return None if if_none_match == self.stored.etag else self.stored


class FakeClock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def objects(trained: WineModel) -> FakeObjects:
    """An object store with the wine model."""
    return FakeObjects(trained.built.artifact)


@pytest.fixture
def clock() -> FakeClock:
    """A clock at 0."""
    return FakeClock()


@pytest.fixture
def make_store(objects: FakeObjects, clock: FakeClock) -> Callable[[float], ModelStore]:
    """Make a model store with a refresh interval in seconds."""
    return lambda seconds: ModelStore(
        objects, Settings("s3://bucket/prefix", refresh_seconds=seconds), clock
    )


MakeStore = Callable[[float], ModelStore]


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


def test_without_a_model_every_request_retries(make_store: MakeStore, objects: FakeObjects) -> None:
    """The error has the reason; the first request after the store recovers succeeds."""
    store = make_store(60)
    objects.error = StoreError("access denied", "No.")
    with pytest.raises(ModelUnavailable, match="access denied"):
        store.current()
    objects.error = None
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
    """Up to five minutes; the reason is logged once."""
    store = make_store(interval)
    store.current()
    objects.fetches.clear()
    objects.error = StoreError("unreachable", "No.")
    checks = []
    for clock.now in range(1100):
        store.current()
        if objects.fetches:
            checks.append(clock.now)
            objects.fetches.clear()
    assert checks[:6] == expected
    assert capsys.readouterr().out.count("model store failure") == 1


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
