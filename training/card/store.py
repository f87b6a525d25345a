"""The model cards beside the versions of a model store."""

from __future__ import annotations

from chalicelib.errors import ObjectNotFound
from training.store import WritableStore


class CardStore:
    """The cards beside the versions of a model store, as ``cards/<version>.html``.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    """

    def __init__(self, url: str) -> None:
        self._store = WritableStore(url)

    def put(self, version: str, html: str) -> str:
        """Write the card of a version and return its URL; raises `StoreError`."""
        self._store.put(_path(version), html.encode(), mode="overwrite")
        return f"{self._store.url}/{_path(version)}"

    def get(self, version: str) -> str | None:
        """Return the card of a version, None if it has none; raises `StoreError`."""
        try:
            return self._store.fetch(_path(version)).decode()
        except ObjectNotFound:
            return None


def _path(version: str) -> str:
    return f"cards/{version}.html"
