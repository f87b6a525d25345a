"""The live model: loaded, verified, cached and refreshed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from chalicelib.errors import InvalidArtifact, ModelUnavailable, Reason, StoreError
from chalicelib.log import log_event
from chalicelib.models.model import Model, load_model
from chalicelib.settings import Settings
from chalicelib.store.object_store import CURRENT, StoredObject

# Sent to clients while no model is loaded. Each of their requests tries to load one.
RETRY_AFTER_SECONDS = 5

# The backoff after a failed refresh: the refresh interval, but at least the minimum; doubled after
# each further failure, up to the maximum or the refresh interval if that is longer.
MIN_BACKOFF_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 300.0


class ObjectReader(Protocol):
    """A source of stored objects."""

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Fetch an object; see `chalicelib.store.object_store.ObjectStore.fetch`."""


class Health(NamedTuple):
    """The state of a model store."""

    version: str | None  # of the model that is served
    since: str | None  # the time of the first failure (ISO 8601, UTC); None while there is none
    reason: Reason | None  # of the latest failure


class _Loaded(NamedTuple):
    model: Model
    etag: str


class _Failure(NamedTuple):
    since: str
    reason: Reason
    backoff: float


class ModelStore:
    """Serves the live model to any number of threads.

    Parameters
    ----------
    objects : ObjectReader
        The source of the object `CURRENT`.
    settings : Settings
        The refresh interval, the maximum size of a model and the signing key.
    clock : callable, optional
        Returns monotonic seconds.
    """

    def __init__(
        self, objects: ObjectReader, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._objects = objects
        self._settings = settings
        self._clock = clock
        self._loaded: _Loaded | None = None
        self._failure: _Failure | None = None
        self._next_refresh = 0.0
        self._first_attempts = 0
        self._loading = threading.Lock()

    def current(self) -> Model:
        """Return the live model, or the last good one if the live one cannot be loaded.

        Raises `ModelUnavailable` if no model was loaded yet.
        """
        loaded = self._loaded
        if loaded is None:
            return self._load_first().model
        if self._is_due() and self._loading.acquire(blocking=False):
            try:
                if self._is_due():  # another thread may have refreshed it meanwhile
                    self._refresh(loaded)
            finally:
                self._loading.release()
        return (self._loaded or loaded).model

    def health(self) -> Health:
        """Return the served version and the present failure."""
        loaded, failure = self._loaded, self._failure
        return Health(
            version=loaded.model.manifest.version if loaded else None,
            since=failure.since if failure else None,
            reason=failure.reason if failure else None,
        )

    def _is_due(self) -> bool:
        return self._clock() >= self._next_refresh

    def _load_first(self) -> _Loaded:
        attempts = self._first_attempts
        with self._loading:
            # Threads that waited for a failed attempt share its failure.
            if self._loaded is None and self._first_attempts == attempts:
                self._refresh(None)
                self._first_attempts += 1
            if self._loaded is None:
                reason = self._failure.reason if self._failure else "internal error"
                raise ModelUnavailable(reason, RETRY_AFTER_SECONDS)
            return self._loaded

    def _refresh(self, loaded: _Loaded | None) -> None:
        """Load the object in the store if it is another one than the loaded one."""
        try:
            fetched = self._objects.fetch(
                CURRENT,
                if_none_match=loaded.etag if loaded else None,
                max_bytes=self._settings.max_bytes,
            )
            if fetched is not None:
                self._loaded = self._load(fetched)
        except Exception as error:  # of any kind: keep the last good model
            self._record_failure(error)
        else:
            self._record_success()

    def _load(self, fetched: StoredObject) -> _Loaded:
        model = load_model(fetched.data, self._settings.signing_key)
        log_event("model loaded", version=model.manifest.version)
        return _Loaded(model, fetched.etag)

    def _record_success(self) -> None:
        if self._failure is not None:
            log_event("model store recovered", since=self._failure.since)
            self._failure = None
        self._next_refresh = self._clock() + self._settings.refresh_seconds

    def _record_failure(self, error: Exception) -> None:
        previous = self._failure
        reason: Reason = "internal error"
        detail = type(error).__name__
        if isinstance(error, StoreError | InvalidArtifact):
            reason, detail = error.reason, str(error)
        since = previous.since if previous else datetime.now(UTC).isoformat(timespec="seconds")
        first_backoff = max(MIN_BACKOFF_SECONDS, self._settings.refresh_seconds)
        backoff = min(previous.backoff * 2, MAX_BACKOFF_SECONDS) if previous else first_backoff
        if previous is None or previous.reason != reason:
            serving_version = self._loaded.model.manifest.version if self._loaded else None
            log_event(
                "model store failure", reason=reason, detail=detail, serving_version=serving_version
            )
        self._failure = _Failure(since, reason, max(backoff, first_backoff))
        self._next_refresh = self._clock() + self._failure.backoff
