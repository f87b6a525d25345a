"""What of a cold start goes on by itself while Python imports the rest."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from chalicelib.errors import InvalidSetting
from chalicelib.runtimes import onnx_capi
from chalicelib.settings import Settings
from chalicelib.store.object_store import CURRENT, ObjectStore, StoredObject


class PrefetchedStore:
    """The objects of a store, of which the live model is on its way already.

    Parameters
    ----------
    store : ObjectStore
        Where it comes from.
    max_bytes : int
        How large it may be.
    """

    def __init__(self, store: ObjectStore, max_bytes: int) -> None:
        self._store = store
        pool = ThreadPoolExecutor(max_workers=1)
        self._ahead = [pool.submit(store.fetch, CURRENT, max_bytes=max_bytes)]
        pool.shutdown(wait=False)

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Fetch an object, as `ObjectStore.fetch` does; the first one is waited for only."""
        if self._ahead and name == CURRENT and if_none_match is None:
            return self._ahead.pop().result()
        return self._store.fetch(name, if_none_match=if_none_match, max_bytes=max_bytes)


def start_prefetch() -> PrefetchedStore | None:
    """Start ONNX Runtime and fetch the live model, in threads of their own.

    Returns
    -------
    PrefetchedStore or None
        None if the environment holds a setting that it may not, which is reported later.
    """
    gc.disable()  # hardly anything of what is imported is garbage
    pool = ThreadPoolExecutor(max_workers=1)
    pool.submit(onnx_capi.library)  # if it fails, whoever loads a model meets that again
    pool.shutdown(wait=False)
    with suppress(InvalidSetting):
        settings = Settings.from_environ(os.environ)
        store = ObjectStore(settings.model_url, timeout_seconds=settings.timeout_seconds)
        return PrefetchedStore(store, settings.max_bytes)
    return None


def freeze_heap() -> None:
    """Tell that all is imported, and so will stay: no collection need look at it again."""
    gc.freeze()
    gc.enable()
