"""Fetch the live model, and the keys that are references, while Python imports other modules."""

from __future__ import annotations

import os
from contextlib import suppress

from chalicelib.background import Background
from chalicelib.errors import InvalidSetting, StoreError
from chalicelib.settings import Settings
from chalicelib.store.object_store import CURRENT, ObjectStore, StoredObject
from chalicelib.store.signing_keys import SigningKeys

# Files with all certificates that Amazon Linux and Debian trust.
_CERTIFICATES = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt")
_NO_FOLDER = "/dev/null/none"


class PrefetchedStore:
    """An object store whose live model is being fetched in the background."""

    def __init__(self, store: ObjectStore, max_bytes: int) -> None:
        self._store = store
        with suppress(StoreError):  # recurs in the thread
            store.opened  # noqa: B018 (in the thread, opening would wait for imports)
        self._prefetch = [Background(lambda: store.fetch(CURRENT, max_bytes=max_bytes))]

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Fetch an object as `ObjectStore.fetch` does; the first call waits for the prefetch."""
        if self._prefetch and name == CURRENT and if_none_match is None:
            fetched: StoredObject | None = self._prefetch.pop().wait()
            return fetched
        return self._store.fetch(name, if_none_match=if_none_match, max_bytes=max_bytes)


def start_prefetch() -> tuple[PrefetchedStore, SigningKeys] | tuple[()]:
    """Start to fetch, each object in a background thread.

    Return nothing if a setting is invalid: the first request reports that.
    """
    with suppress(InvalidSetting):
        settings = Settings.from_environ(os.environ)
        keys = SigningKeys(settings)
        keys.prefetch()
        trust_one_file(_CERTIFICATES)
        store = ObjectStore(settings.model_url, timeout_seconds=settings.timeout_seconds)
        return PrefetchedStore(store, settings.max_bytes), keys
    return ()


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
