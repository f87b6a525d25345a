"""The model store's rules, on a store and a clock that do what they are told."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from chalicelib.errors import ModelUnavailable, StoreError
from chalicelib.model_store import ModelStore
from chalicelib.object_store import Fetched
from chalicelib.settings import Settings
from tests.conftest import Trained
from training.artifact import Built


class FakeObjects:
    """Holds one object and counts how often it is asked for."""

    def __init__(self, artifact: bytes, etag: str = "1") -> None:
        self.held = Fetched(artifact, etag)
        self.error: StoreError | None = None
        self.fetches: list[str | None] = []

    def fetch(
        self, name: str, *, unless_etag: str | None = None, max_bytes: int | None = None
    ) -> Fetched | None:
        """Answer as `ObjectStore.fetch` does."""
        assert name == "current"
        self.fetches.append(unless_etag)
        if self.error is not None:
            raise self.error
        return None if unless_etag == self.held.etag else self.held


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
    make_store: MakeStore, objects: FakeObjects, clock: Clock, needy: Built
) -> None:
    """Without a restart."""
    store = make_store(60)
    assert store.current().manifest.name == "wine"
    objects.held = Fetched(needy.artifact, "2")
    assert store.current().manifest.name == "wine"
    clock.now = 60
    assert store.current().manifest.name == "needy"


@pytest.mark.parametrize(
    "fault", [StoreError("store failure", "It broke."), Fetched(b"", "2"), Fetched(b"junk", "2")]
)
def test_keeps_serving_the_last_good_model(
    make_store: MakeStore, objects: FakeObjects, clock: Clock, fault: StoreError | Fetched
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
