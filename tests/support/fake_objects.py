"""An object store in memory, and a clock, for tests of the model store."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.errors import StoreError
from chalicelib.store.model_store import ModelStore
from chalicelib.store.object_store import StoredObject


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


# Makes a model store with a refresh interval in seconds.
MakeStore = Callable[[float], ModelStore]
