"""Which model is live: fetched once, verified, kept, and asked after again now and then."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from chalicelib.errors import InvalidArtifact, ModelUnavailable, StoreError
from chalicelib.log import log_event
from chalicelib.model import Model, load_model
from chalicelib.object_store import Fetched, ObjectStore

CURRENT = "current"

# How long a client is asked to wait when there is no model at all; its next request tries again.
RETRY_AFTER_SECONDS = 5


class _Live(NamedTuple):
    model: Model
    etag: str


class ModelStore:
    """Gives the live model to any number of threads.

    Parameters
    ----------
    objects : ObjectStore
        Where the object `CURRENT` is.
    refresh_seconds : float
        How long a model is served before the store is asked for a newer one.
    clock : callable, optional
        Gives seconds that only ever grow.
    """

    def __init__(
        self,
        objects: ObjectStore,
        *,
        refresh_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._objects = objects
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._live: _Live | None = None
        self._next_check = 0.0
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
        live = self._live or self._load_first()
        if self._clock() >= self._next_check and self._loading.acquire(blocking=False):
            try:
                live = self._refresh(live)
            finally:
                self._loading.release()
        return live.model

    def _load_first(self) -> _Live:
        with self._loading:
            if self._live is None:
                # The runtime is imported while the artifact is on its way.
                runtime = threading.Thread(target=importlib.import_module, args=("onnxruntime",))
                runtime.start()
                try:
                    fetched = self._objects.fetch(CURRENT)
                    assert fetched is not None  # only a fetch with an etag may be left out
                    self._take(fetched)
                except (StoreError, InvalidArtifact) as error:
                    reason = error.kind if isinstance(error, StoreError) else "invalid artifact"
                    log_event("no model", reason=reason, detail=str(error))
                    raise ModelUnavailable(reason, RETRY_AFTER_SECONDS) from error
                finally:
                    runtime.join()
        assert self._live is not None
        return self._live

    def _refresh(self, live: _Live) -> _Live:
        self._next_check = self._clock() + self._refresh_seconds
        try:
            fetched = self._objects.fetch(CURRENT, unless_etag=live.etag)
            if fetched is not None:
                return self._take(fetched)
        except (StoreError, InvalidArtifact) as error:
            log_event("model not refreshed", serving=live.model.manifest.version, detail=str(error))
        return live

    def _take(self, fetched: Fetched) -> _Live:
        model = load_model(fetched.data)
        self._live = _Live(model, fetched.etag)
        self._next_check = self._clock() + self._refresh_seconds
        log_event("model loaded", version=model.manifest.version)
        return self._live
