"""The settings and the model store that one process shares between requests."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress

from chalicelib.errors import InvalidSetting, ModelUnavailable
from chalicelib.log import log_event
from chalicelib.models.manifest import Manifest
from chalicelib.models.row_limit import RowLimit
from chalicelib.settings import Settings
from chalicelib.store.model_store import RETRY_AFTER_SECONDS, ModelStore, ObjectReader
from chalicelib.store.object_store import ObjectStore
from chalicelib.store.signing_keys import SigningKeys


class Service:
    """Settings and model store, opened on first use: Chalice imports the app to package it too.

    Parameters
    ----------
    objects : ObjectReader, optional
        Source of the model; by default the store at ``MODEL_URL``.
    keys : SigningKeys, optional
        The keys of the settings; some may be prefetched.

    Attributes
    ----------
    trial : callable or None
        See `chalicelib.store.model_store.ModelStore`.
    """

    def __init__(
        self, objects: ObjectReader | None = None, keys: SigningKeys | None = None
    ) -> None:
        self._objects = objects
        self._keys = keys
        self.trial: Callable[[bytes], None] | None = None
        self._opening = threading.Lock()
        self._settings: Settings | None = None
        self._models: ModelStore | None = None
        self._row_limit: RowLimit | None = None  # of the model of the last request

    @property
    def settings(self) -> Settings:
        """The settings; raises `ModelUnavailable` and logs why if a variable is invalid."""
        if self._settings is None:
            with self._opening:
                self._settings = _read_settings()
        return self._settings

    @property
    def models(self) -> ModelStore:
        """The model store; raises `ModelUnavailable` if a variable is invalid."""
        if self._models is None:
            settings = self.settings
            with self._opening:
                objects = self._objects or ObjectStore(
                    settings.model_url, timeout_seconds=settings.timeout_seconds
                )
                self._models = self._models or ModelStore(
                    objects, settings, trial=self.trial, keys=self._keys
                )
        return self._models

    def row_limit(self, manifest: Manifest) -> RowLimit:
        """Return how many samples a request to a model may hold."""
        limit = self._row_limit
        if limit is None or limit.manifest is not manifest:
            self._row_limit = limit = RowLimit(manifest, self.settings)
        return limit

    def reopen(self) -> None:
        """Open the store anew, in a process restored from a snapshot; its model may be old."""
        with self._opening:
            self._objects = self._keys = None
            settings, models = self._settings, self._models
        if settings is not None and models is not None:
            store = ObjectStore(settings.model_url, timeout_seconds=settings.timeout_seconds)
            models.reopen(store, SigningKeys(settings))

    def load_model(self) -> None:
        """Load the model before the first request; on failure, the next request retries."""
        with suppress(ModelUnavailable):
            self.models.current()


def _read_settings() -> Settings:
    try:
        return Settings.from_environ(os.environ)
    except InvalidSetting as error:
        log_event("invalid setting", detail=str(error))
        raise ModelUnavailable("misconfigured", RETRY_AFTER_SECONDS) from error
