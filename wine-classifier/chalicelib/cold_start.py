"""Load ONNX Runtime and prefetch the model while Python imports the other modules."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from chalicelib.errors import InvalidSetting
from chalicelib.runtimes.onnx_capi import ort_api
from chalicelib.settings import Settings
from chalicelib.store.object_store import CURRENT, ObjectStore, StoredObject
from chalicelib.store.signing_keys import SigningKeys


class PrefetchedStore:
    """An object store whose live model is being fetched in the background."""

    def __init__(self, store: ObjectStore, max_bytes: int) -> None:
        self._store = store
        pool = ThreadPoolExecutor(max_workers=1)
        self._prefetch = [pool.submit(store.fetch, CURRENT, max_bytes=max_bytes)]
        pool.shutdown(wait=False)

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Fetch an object as `ObjectStore.fetch` does; the first call waits for the prefetch."""
        if self._prefetch and name == CURRENT and if_none_match is None:
            return self._prefetch.pop().result()
        return self._store.fetch(name, if_none_match=if_none_match, max_bytes=max_bytes)


def start_prefetch() -> tuple[PrefetchedStore, SigningKeys] | tuple[()]:
    """Start to load ONNX Runtime, and to fetch the live model and the keys that are references.

    Each has a background thread. Return nothing if a setting is invalid: the first request reports
    that.
    """
    gc.disable()  # imports leave hardly any garbage
    pool = ThreadPoolExecutor(max_workers=1)
    pool.submit(ort_api)  # a failure recurs where a model is loaded, and is reported there
    pool.shutdown(wait=False)
    with suppress(InvalidSetting):
        settings = Settings.from_environ(os.environ)
        keys = SigningKeys(settings)
        keys.prefetch()
        store = ObjectStore(settings.model_url, timeout_seconds=settings.timeout_seconds)
        return PrefetchedStore(store, settings.max_bytes), keys
    return ()


def freeze_heap() -> None:
    """Exempt all imported objects from garbage collection, and turn collection on."""
    gc.freeze()
    gc.enable()
