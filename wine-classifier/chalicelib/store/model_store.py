"""The live model: loaded, verified, cached and refreshed."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import inf
from typing import Protocol

from chalicelib.errors import InvalidArtifact, ModelUnavailable, Reason, StoreError
from chalicelib.log import log_event
from chalicelib.models.manifest import Manifest
from chalicelib.models.memory import MB, check_fits, fits_beside, release_free_memory
from chalicelib.models.model import Model, load_verified, verify
from chalicelib.named_tuple import NamedTuple
from chalicelib.settings import Settings
from chalicelib.store.check import Check, start_thread
from chalicelib.store.freezes import FreezeDetector
from chalicelib.store.object_store import CURRENT, StoredObject
from chalicelib.store.signing_keys import SigningKeys

# Sent to clients while no model is loaded.
RETRY_AFTER_SECONDS = 5
# Without a model, a failed attempt to load one is the response to the requests of the next second.
FAILURE_SECONDS = 1.0

# A check of the store runs beside the requests. If the model is stale, because the last check that
# succeeded is this many refresh intervals old, one request waits for it: the next requests may be
# far away, and Lambda freezes the process until then.
STALE_INTERVALS = 2
MAX_WAIT_SECONDS = 0.05
MAX_REOPEN_SECONDS = 5.0  # Lambda ends a process that takes 10 seconds to be restored
# A fetch that fails after a freeze is repeated: it failed because of the freeze. A check that is
# cut by one freeze after the other fails.
MAX_FETCHES = 3

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
        The refresh interval, the maximum size of a model and the signing keys.
    clock : callable, optional
        Returns monotonic seconds.
    start : callable, optional
        Runs a function beside the caller.
    trial : callable, optional
        Raises `InvalidArtifact` if an artifact, which is not signed, must not be loaded here.
    keys : SigningKeys, optional
        The keys of the settings; some may be prefetched.
    """

    def __init__(
        self,
        objects: ObjectReader,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        start: Callable[[Callable[[], None]], None] = start_thread,
        trial: Callable[[bytes], None] | None = None,
        keys: SigningKeys | None = None,
    ) -> None:
        self._objects = objects
        self._settings = settings
        self._keys = keys or SigningKeys(settings)
        self._clock = clock
        self._start = start
        self._trial = trial
        self._loaded: _Loaded | None = None
        self._failure: _Failure | None = None
        self._checked = 0.0  # the start of the last check that succeeded
        self._next_check = 0.0
        self._check: Check | None = None
        self._starting = threading.Lock()
        self._first_attempts = 0
        self._loading = threading.Lock()
        self._replacing = False  # requests wait for the lock above
        self._rejected_etag: str | None = None

    def current(self) -> Model:
        """Return the live model, or the last good one if the live one is not loaded.

        Raises `ModelUnavailable` if no model was loaded yet.
        """
        loaded = self._loaded
        if loaded is None:
            return self._load_first().model
        if self._clock() >= self._next_check:
            self._refresh_beside()
            loaded = self._loaded or loaded
        return loaded.model

    def health(self) -> Health:
        """Return the served version and the present failure."""
        loaded, failure = self._loaded, self._failure
        return Health(
            version=loaded.model.manifest.version if loaded else None,
            since=failure.since if failure else None,
            reason=failure.reason if failure else None,
        )

    def reopen(self, objects: ObjectReader, keys: SigningKeys) -> None:
        """Read from now on with other connections and keys, and look for a newer model at once.

        The clock may have jumped. The call waits for a model for `MAX_REOPEN_SECONDS`.
        """
        self._objects, self._keys = objects, keys
        self._checked = self._next_check = -inf
        if self._loaded is not None:
            self._refresh_beside(MAX_REOPEN_SECONDS)

    def _load_first(self) -> _Loaded:
        failure = self._failure
        if (failure and not self._replacing) and (
            self._loading.locked() or self._clock() < self._next_check
        ):
            raise ModelUnavailable(failure.reason, RETRY_AFTER_SECONDS)
        attempts = self._first_attempts
        with self._loading:
            # Threads that waited for a failed attempt share its failure.
            if self._loaded is None and self._first_attempts == attempts:
                started = self._clock()
                self._refresh(started, functools.partial(self._fetch, None))
                self._first_attempts += 1
            if self._loaded is None:
                reason = self._failure.reason if self._failure else "internal error"
                raise ModelUnavailable(reason, RETRY_AFTER_SECONDS)
            return self._loaded

    def _refresh_beside(self, max_wait_seconds: float = MAX_WAIT_SECONDS) -> None:
        """Start a check that is due, if none runs; wait for it only if the model is stale."""
        with self._starting:
            check = self._check
            if check is None:
                if self._clock() < self._next_check:  # one ended meanwhile
                    return
                check = self._check = Check(self._clock)
                try:
                    self._start(functools.partial(self._run_check, check))
                except RuntimeError as error:  # the process may have no more threads
                    self._check = None
                    self._record_failure(error)
                    return
            age = self._clock() - self._checked
            is_stale = age >= STALE_INTERVALS * self._settings.refresh_seconds
            waits = is_stale and check.claim_wait()
        if waits:
            check.ended.wait(max_wait_seconds)

    def _run_check(self, check: Check) -> None:
        try:
            self._refresh(check.started, functools.partial(self._fetch_newer, check.freezes))
        finally:
            self._check = None
            check.ended.set()

    def _refresh(self, started: float, fetch: Callable[[], StoredObject | None]) -> None:
        """Fetch the live model and load it; a failure of any kind keeps the last good one."""
        try:
            fetched = fetch()
            if fetched is not None:
                self._loaded = self._load(fetched)
        except Exception as error:
            self._record_failure(error)
        else:
            self._record_success(started)

    def _fetch_newer(self, freezes: FreezeDetector) -> StoredObject | None:
        """Fetch the live model if it is not the loaded one; repeat a fetch that a freeze cut."""
        assert self._loaded is not None
        with freezes:
            for _ in range(MAX_FETCHES):
                count = freezes.count()
                try:
                    return self._fetch(self._loaded.etag)
                except StoreError:
                    if freezes.count() == count:
                        raise
        raise StoreError(
            "interrupted", f"The function was frozen during each of {MAX_FETCHES} fetches."
        )

    def _fetch(self, etag: str | None) -> StoredObject | None:
        return self._objects.fetch(CURRENT, if_none_match=etag, max_bytes=self._settings.max_bytes)

    def _load(self, fetched: StoredObject) -> _Loaded:
        manifest = verify(fetched.data, *self._keys.get())
        check_fits(manifest, self._settings.memory_mb)
        if self._trial is not None and not self._keys.get():
            self._trial(fetched.data)
        if self._loaded is None or fits_beside(manifest, self._settings.memory_mb):
            model = self._load_verified(manifest, fetched.data)
        else:
            model = self._replace(self._loaded, manifest, fetched)
        manifest = model.manifest
        log_event("model loaded", version=manifest.version, created_ms=manifest.created_ms)
        return _Loaded(model, fetched.etag)

    def _load_verified(self, manifest: Manifest, artifact: bytes) -> Model:
        return load_verified(manifest, artifact, is_trusted=bool(self._keys.get()))

    def _replace(self, old: _Loaded, manifest: Manifest, fetched: StoredObject) -> Model:
        """Drop the old model before the new one is loaded, as both do not fit the memory.

        The old artifact is kept meanwhile, and loaded again if the new model cannot be. Requests
        wait. A model that failed so is not tried again.
        """
        if fetched.etag == self._rejected_etag:
            raise InvalidArtifact(
                "over memory", "The model does not fit beside the last good one, and failed alone."
            )
        old_manifest, etag = old.model.manifest, old.etag
        stored = self._objects.fetch(old_manifest.path, max_bytes=self._settings.max_bytes)
        assert stored is not None  # None only if an etag is passed
        if verify(stored.data, *self._keys.get()).version != old_manifest.version:
            raise InvalidArtifact("over memory", "The store cannot give the old version back.")
        check_fits(manifest, self._settings.memory_mb, len(stored.data) // MB)
        with self._loading:
            self._replacing = True
            self._loaded = None
            del old
            release_free_memory()
            try:
                model = self._load_verified(manifest, fetched.data)
                self._loaded = _Loaded(model, fetched.etag)
            except Exception:
                self._rejected_etag = fetched.etag
                self._loaded = _Loaded(self._load_verified(old_manifest, stored.data), etag)
                raise
            finally:
                self._replacing = False
        return model

    def _record_success(self, started: float) -> None:
        if self._failure is not None:
            log_event("model store recovered", since=self._failure.since)
            self._failure = None
        self._checked = started
        self._next_check = started + self._settings.refresh_seconds

    def _record_failure(self, error: Exception) -> None:
        previous, loaded = self._failure, self._loaded
        reason: Reason = "internal error"
        detail = type(error).__name__
        if isinstance(error, StoreError | InvalidArtifact):
            reason, detail = error.reason, str(error)
        since = previous.since if previous else datetime.now(UTC).isoformat(timespec="seconds")
        # While a model is served, each line says so to the alarm on stale models.
        if loaded or previous is None or previous.reason != reason:
            log_event(
                "model store failure",
                reason=reason,
                detail=detail,
                serving_version=loaded.model.manifest.version if loaded else None,
            )
        backoff = self._backoff(previous) if loaded else FAILURE_SECONDS
        self._failure = _Failure(since, reason, backoff)
        self._next_check = self._clock() + backoff

    def _backoff(self, previous: _Failure | None) -> float:
        """Return the seconds until the next check after a failed one."""
        minimum = max(MIN_BACKOFF_SECONDS, self._settings.refresh_seconds)
        doubled = min(previous.backoff * 2, MAX_BACKOFF_SECONDS) if previous else minimum
        return max(doubled, minimum)
