"""The model store's rules, on a store and a clock that do what they are told."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from chalicelib.errors import ModelUnavailable, StoreError
from chalicelib.settings import Settings
from chalicelib.store.model_store import ModelStore
from chalicelib.store.object_store import StoredObject
from tests.support.models import Trained
from training.artifact import BuiltModel


class FakeObjects:
    """Holds one object and counts how often it is asked for."""

    def __init__(self, artifact: bytes, etag: str = "1") -> None:
        self.held = StoredObject(artifact, etag)
        self.error: StoreError | None = None
        self.fetches: list[str | None] = []

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Answer as `ObjectStore.fetch` does."""
        assert name == "current"
        self.fetches.append(if_none_match)
        if self.error is not None:
            raise self.error
        return None if if_none_match == self.held.etag else self.held


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


@pytest.fixture
def objects(trained: Trained) -> FakeObjects:
    """An object store that holds the wine model."""
    return FakeObjects(trained.built.artifact)


@pytest.fixture
def clock() -> Clock:
    """A clock at 0."""
    return Clock()


@pytest.fixture
def make_store(objects: FakeObjects, clock: Clock) -> Callable[[float], ModelStore]:
    """Make a model store with a refresh interval in seconds."""
    return lambda seconds: ModelStore(
        objects, Settings("s3://bucket/prefix", refresh_seconds=seconds), clock
    )


MakeStore = Callable[[float], ModelStore]


def test_fetches_nothing_before_it_is_asked(make_store: MakeStore, objects: FakeObjects) -> None:
    """Importing the app needs no network."""
    make_store(60)
    assert objects.fetches == []


def test_asks_once_and_then_once_an_interval(
    make_store: MakeStore, objects: FakeObjects, clock: Clock
) -> None:
    """And only whether the object has changed."""
    store = make_store(60)
    for clock.now in (0, 1, 59.9):
        store.current()
    assert objects.fetches == [None]
    for clock.now in (60, 61, 119.9, 120):
        store.current()
    assert objects.fetches == [None, "1", "1"]


def test_an_interval_of_0_asks_every_time(make_store: MakeStore, objects: FakeObjects) -> None:
    """For those who would rather wait than be a minute late."""
    store = make_store(0)
    for _ in range(3):
        store.current()
    assert objects.fetches[0] is None
    assert set(objects.fetches[1:]) == {"1"}
    assert len(objects.fetches) >= 3


def test_takes_up_a_new_model(
    make_store: MakeStore, objects: FakeObjects, clock: Clock, needy: BuiltModel
) -> None:
    """Without a restart."""
    store = make_store(60)
    assert store.current().manifest.name == "wine"
    objects.held = StoredObject(needy.artifact, "2")
    assert store.current().manifest.name == "wine"
    clock.now = 60
    assert store.current().manifest.name == "needy"


@pytest.mark.parametrize(
    "fault",
    [StoreError("store failure", "It broke."), StoredObject(b"", "2"), StoredObject(b"junk", "2")],
)
def test_keeps_serving_the_last_good_model(
    make_store: MakeStore, objects: FakeObjects, clock: Clock, fault: StoreError | StoredObject
) -> None:
    """When the store fails, and when the new model is corrupt."""
    store = make_store(60)
    good = store.current()
    if isinstance(fault, StoreError):
        objects.error = fault
    else:
        objects.held = fault
    clock.now = 60
    assert store.current() is good


def test_says_why_there_is_no_model_and_tries_again(
    make_store: MakeStore, objects: FakeObjects
) -> None:
    """The first request after the store heals succeeds."""
    store = make_store(60)
    objects.error = StoreError("access denied", "No.")
    with pytest.raises(ModelUnavailable, match="access denied"):
        store.current()
    objects.error = None
    assert store.current().manifest.name == "wine"


def test_many_threads_load_the_model_once(make_store: MakeStore, objects: FakeObjects) -> None:
    """However many ask at the same time."""
    store = make_store(60)
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        store.current()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert objects.fetches == [None]


@pytest.mark.parametrize(
    ("interval", "asked_at"),
    [(60.0, [60, 120, 240, 480, 780, 1080]), (0.0, [0, 1, 3, 7, 15, 31])],
)
def test_pauses_grow_while_trouble_lasts(
    make_store: MakeStore,
    objects: FakeObjects,
    clock: Clock,
    interval: float,
    asked_at: list[float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Doubling, up to five minutes; and the reason is logged once."""
    store = make_store(interval)
    store.current()
    objects.fetches.clear()
    objects.error = StoreError("unreachable", "No.")
    asked = []
    for clock.now in range(1100):
        store.current()
        if objects.fetches:
            asked.append(clock.now)
            objects.fetches.clear()
    assert asked[:6] == asked_at
    assert capsys.readouterr().out.count("model store failure") == 1


def test_trouble_is_told_from_its_beginning_to_its_end(
    make_store: MakeStore, objects: FakeObjects, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """With each new reason, but one beginning."""
    store = make_store(1)
    good = store.current().manifest.version
    assert store.health() == (good, None, None)
    beginnings = set()
    for clock.now, kind in enumerate(["unreachable", "timed out"], start=1):
        clock.now *= 10
        objects.error = StoreError(kind, "No.")
        store.current()
        version, since, reason = store.health()
        assert (version, reason) == (good, kind)
        beginnings.add(since)
    assert len(beginnings) == 1
    objects.error = None
    clock.now = 100
    store.current()
    assert store.health() == (good, None, None)
    assert capsys.readouterr().out.count("model store failure") == 2


class WatchedLock:
    """A lock that tells how many have come to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.come = threading.Semaphore(0)

    def __enter__(self) -> None:
        self.come.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_threads_that_waited_share_one_failure(
    make_store: MakeStore, objects: FakeObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a hanging store is waited for once, not once by each in turn."""
    store = make_store(60)
    lock = WatchedLock()
    monkeypatch.setattr(store, "_loading", lock)
    all_are_there = threading.Event()

    def hang(*_: object, **__: object) -> None:
        objects.fetches.append(None)
        all_are_there.wait(10)
        raise StoreError("timed out", "No.")

    monkeypatch.setattr(objects, "fetch", hang)
    failures = []

    def ask() -> None:
        with pytest.raises(ModelUnavailable) as caught:
            store.current()
        failures.append(caught.value.reason)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert lock.come.acquire(timeout=10)
    all_are_there.set()
    for thread in threads:
        thread.join()
    assert failures == ["timed out"] * 8
    assert objects.fetches == [None]


def test_what_nobody_thought_of_is_survived_too(
    make_store: MakeStore, objects: FakeObjects, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last good model is better than none; only the kind of error is told."""
    store = make_store(60)
    good = store.current()
    clock.now = 60

    def fail(*_: object, **__: object) -> None:
        raise MemoryError("a secret")

    monkeypatch.setattr(objects, "fetch", fail)
    assert store.current() is good
    assert store.health().reason == "MemoryError"
