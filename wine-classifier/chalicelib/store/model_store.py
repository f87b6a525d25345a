"""Which model is live: fetched once, verified, kept, and asked after again now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from chalicelib.errors import InvalidArtifact, ModelUnavailable, ServingError, StoreError
from chalicelib.log import log_event
from chalicelib.models.model import Model, load_model
from chalicelib.settings import Settings
from chalicelib.store.object_store import CURRENT, StoredObject

# How long a client is asked to wait when there is no model at all; its next request tries again.
RETRY_AFTER_SECONDS = 5

# After a failed check the next one waits for the refresh interval, or this if that is shorter,
# and twice as long after each further one, but never longer than the last of these.
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0


class ObjectReader(Protocol):
    """What a model store reads from."""

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Fetch an object; see `chalicelib.object_store.ObjectStore.fetch`."""


class Health(NamedTuple):
    """How a model store is.

    Parameters
    ----------
    version : str or None
        The version that is served; None if there is no model.
    since : str or None
        When trouble began (ISO 8601, UTC); None if there is none.
    reason : str or None
        What the trouble is.
    """

    version: str | None
    since: str | None
    reason: str | None


class _Live(NamedTuple):
    model: Model
    etag: str


class _Trouble(NamedTuple):
    since: str
    reason: str
    pause: float


class ModelStore:
    """Gives the live model to any number of threads.

    Parameters
    ----------
    objects : ObjectReader
        Where the object `CURRENT` is.
    settings : Settings
        How often to look for a newer one, how large it may be, what it must be signed with.
    clock : callable, optional
        Gives seconds that only ever grow.
    """

    def __init__(
        self, objects: ObjectReader, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._objects = objects
        self._settings = settings
        self._clock = clock
        self._live: _Live | None = None
        self._trouble: _Trouble | None = None
        self._next_check = 0.0
        self._attempts_made = 0
        self._loading = threading.Lock()

    def current(self) -> Model:
        """Give the model to answer with.

        Returns
        -------
        Model
            The live one or, if that cannot be had, the last good one.

        Raises
        ------
        ModelUnavailable
            If no model could be loaded yet.
        """
        live = self._live
        if live is None:
            return self._load_first().model
        if self._is_due() and self._loading.acquire(blocking=False):
            try:
                if self._is_due():  # another thread may have looked since
                    self._look(live)
            finally:
                self._loading.release()
        return (self._live or live).model

    def health(self) -> Health:
        """Tell how the store is.

        Returns
        -------
        Health
        """
        live, trouble = self._live, self._trouble
        return Health(
            version=live.model.manifest.version if live else None,
            since=trouble.since if trouble else None,
            reason=trouble.reason if trouble else None,
        )

    def _is_due(self) -> bool:
        return self._clock() >= self._next_check

    def _load_first(self) -> _Live:
        attempts = self._attempts_made
        with self._loading:
            # Those who waited while an attempt failed share its failure.
            if self._live is None and self._attempts_made == attempts:
                self._look(None)
                self._attempts_made += 1
            if self._live is None:
                reason = self._trouble.reason if self._trouble else "unknown"
                raise ModelUnavailable(reason, RETRY_AFTER_SECONDS)
            return self._live

    def _look(self, live: _Live | None) -> None:
        """Take what is in the store now, if it is another model than the live one and good."""
        try:
            fetched = self._objects.fetch(
                CURRENT,
                if_none_match=live.etag if live else None,
                max_bytes=self._settings.max_bytes,
            )
            if fetched is not None:
                self._live = self._loaded(fetched)
        except Exception as error:  # whatever it is, the last good model is better than none
            self._note_trouble(error)
        else:
            self._note_success()

    def _loaded(self, fetched: StoredObject) -> _Live:
        model = load_model(fetched.data, self._settings.signing_key)
        log_event("model loaded", version=model.manifest.version)
        return _Live(model, fetched.etag)

    def _note_success(self) -> None:
        if self._trouble is not None:
            log_event("model store recovered", since=self._trouble.since)
            self._trouble = None
        self._next_check = self._clock() + self._settings.refresh_seconds

    def _note_trouble(self, error: Exception) -> None:
        before = self._trouble
        reason = _reason(error)
        since = before.since if before else datetime.now(UTC).isoformat(timespec="seconds")
        first = max(FIRST_PAUSE_SECONDS, self._settings.refresh_seconds)
        pause = min(before.pause * 2, LONGEST_PAUSE_SECONDS) if before else first
        if before is None or before.reason != reason:
            serving_version = self._live.model.manifest.version if self._live else None
            detail = str(error) if isinstance(error, ServingError) else None
            log_event(
                "model store failure", reason=reason, detail=detail, serving_version=serving_version
            )
        self._trouble = _Trouble(since, reason, max(pause, first))
        self._next_check = self._clock() + self._trouble.pause


def _reason(error: Exception) -> str:
    """Name a failure to clients: without places, and without what is not ours to know."""
    if isinstance(error, StoreError):
        return error.reason
    if isinstance(error, InvalidArtifact):
        return str(error).rstrip(".")
    return type(error).__name__
