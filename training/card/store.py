"""The model cards beside the versions of a model store."""

from __future__ import annotations

import obstore

from chalicelib.errors import ObjectNotFound
from chalicelib.store.object_store import ObjectStore, store_url, translated_errors

TIMEOUT_SECONDS = 60.0
RETRIES = 2
FOLDER = "cards"


class CardStore:
    """The cards beside the versions of a model store, as ``cards/<version>.html``.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    """

    def __init__(self, url: str) -> None:
        self.url = store_url(url)
        self._store = ObjectStore(self.url, timeout_seconds=TIMEOUT_SECONDS, retries=RETRIES)

    def put(self, version: str, html: str) -> str:
        """Write the card of a version and return its URL; raises `StoreError`."""
        path = f"{FOLDER}/{version}.html"
        with translated_errors(f"{self.url}/{path}", needs="s3:PutObject"):
            obstore.put(self._store.opened, path, html.encode())
        return f"{self.url}/{path}"

    def get(self, version: str) -> str | None:
        """Return the card of a version, None if it has none; raises `StoreError`."""
        try:
            stored = self._store.fetch(f"{FOLDER}/{version}.html")
        except ObjectNotFound:
            return None
        assert stored is not None  # None is returned for if_none_match only
        return stored.data.decode()
