"""Load ONNX Runtime and prefetch the model while Python imports the other modules."""

from __future__ import annotations

import ctypes
import gc
import os
from contextlib import suppress

from chalicelib.background import Background
from chalicelib.errors import InvalidSetting
from chalicelib.runtimes.onnx_capi import ort_api
from chalicelib.settings import Settings
from chalicelib.store.object_store import CURRENT, ObjectStore, StoredObject
from chalicelib.store.signing_keys import SigningKeys

# Files with all certificates that Amazon Linux and Debian trust.
_CERTIFICATES = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt")
_NO_FOLDER = "/dev/null/none"

_M_ARENA_MAX = -8  # see mallopt(3)


class PrefetchedStore:
    """An object store whose live model is being fetched in the background."""

    def __init__(self, store: ObjectStore, max_bytes: int) -> None:
        self._store = store
        self._prefetch = [Background(lambda: store.fetch(CURRENT, max_bytes=max_bytes))]

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Fetch an object as `ObjectStore.fetch` does; the first call waits for the prefetch."""
        if self._prefetch and name == CURRENT and if_none_match is None:
            return self._prefetch.pop().wait()
        return self._store.fetch(name, if_none_match=if_none_match, max_bytes=max_bytes)


def start_prefetch() -> tuple[PrefetchedStore, SigningKeys] | tuple[()]:
    """Start to load ONNX Runtime, and to fetch the live model and the keys that are references.

    Each has a background thread. Return nothing if a setting is invalid: the first request reports
    that.
    """
    gc.disable()  # imports leave hardly any garbage
    _share_one_arena()
    Background(ort_api)  # a failure recurs where a model is loaded, and is reported there
    with suppress(InvalidSetting):
        settings = Settings.from_environ(os.environ)
        keys = SigningKeys(settings)
        keys.prefetch()
        trust_one_file(_CERTIFICATES)
        store = ObjectStore(settings.model_url, timeout_seconds=settings.timeout_seconds)
        return PrefetchedStore(store, settings.max_bytes), keys
    return ()


def freeze_heap() -> None:
    """Exempt all imported objects from garbage collection, and turn collection on."""
    gc.freeze()
    gc.enable()


def trust_one_file(files: tuple[str, ...]) -> None:
    """Trust the certificates in the first file that exists, unless variables name others.

    obstore reads the system's file and then a folder with the same certificates, one by one.
    """
    if "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ:
        return
    for file in files:
        if os.path.exists(file):
            os.environ["SSL_CERT_FILE"] = file
            os.environ["SSL_CERT_DIR"] = _NO_FOLDER
            return


def _share_one_arena() -> None:
    """Allocate from one heap in all threads: the heap of a thread grows by one page a call."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
