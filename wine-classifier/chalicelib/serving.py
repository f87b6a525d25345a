"""What is opened once and then shared by every request: the settings and the model store."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import NamedTuple

from chalicelib.errors import InvalidSetting, ModelUnavailable
from chalicelib.log import log_event
from chalicelib.model_store import RETRY_AFTER_SECONDS, ModelStore, Objects
from chalicelib.object_store import ObjectStore
from chalicelib.settings import Settings


class Opened(NamedTuple):
    """What a request needs.

    Parameters
    ----------
    settings : Settings
        How the process is configured.
    models : ModelStore
        Where the live model comes from.
    """

    settings: Settings
    models: ModelStore


class Serving:
    """Opens at the first request, not at import: Chalice imports the app to package it too.

    Parameters
    ----------
    objects : Objects, optional
        Where the model comes from; without it, the store that the environment names.
    """

    def __init__(self, objects: Objects | None = None) -> None:
        self._objects = objects
        self._opened: Opened | None = None
        self._opening = threading.Lock()

    def opened(self) -> Opened:
        """Give the settings and the model store, read and opened by the first call.

        Returns
        -------
        Opened

        Raises
        ------
        ModelUnavailable
            If the environment holds a setting that it may not; the log says which.
        """
        with self._opening:
            if self._opened is None:
                try:
                    settings = Settings.from_environ(os.environ)
                except InvalidSetting as error:
                    log_event("invalid setting", detail=str(error))
                    raise ModelUnavailable("misconfigured", RETRY_AFTER_SECONDS) from error
                objects = self._objects or ObjectStore(
                    settings.model_url, timeout_seconds=settings.timeout_seconds
                )
                self._opened = Opened(settings, ModelStore(objects, settings))
            return self._opened

    def warm_up(self) -> None:
        """Load the model now, so that the first request need not wait."""
        with suppress(ModelUnavailable):  # logged where it was raised; a request tries again
            self.opened().models.current()
