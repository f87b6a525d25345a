"""The live version, and the version that a plan names."""

from __future__ import annotations

from chalicelib.errors import InvalidArtifact
from chalicelib.models.manifest import Manifest
from chalicelib.models.memory import check_fits, release_free_memory
from chalicelib.models.model import Model, load_verified, verify
from chalicelib.settings import Settings
from chalicelib.store.object_store import CURRENT, ObjectStore
from chalicelib.store.signing_keys import SigningKeys


class Versions:
    """Reads versions; at most one model is in memory.

    Parameters
    ----------
    store : ObjectStore
    settings : Settings
        The signing keys, the largest size of a model and the function's memory.
    """

    def __init__(self, store: ObjectStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._keys = SigningKeys(settings)
        self._loaded: Model | None = None

    def live(self) -> Manifest:
        """Return the manifest of the live version, verified."""
        return self._verify(self._fetch(CURRENT))

    def find(self, version: str, path: str) -> Manifest:
        """Return the manifest of a version, verified.

        Raises `InvalidArtifact` or `StoreError` if there is none.
        """
        return self._fetch_version(version, path)[0]

    def load(self, version: str, path: str) -> Model:
        """Return a version's model, which is kept until another one is loaded.

        Raises `InvalidArtifact` or `StoreError` if it cannot be loaded.
        """
        if self._loaded is None or self._loaded.manifest.version != version:
            self._loaded = None
            release_free_memory()
            manifest, data = self._fetch_version(version, path)
            check_fits(manifest, self._settings.memory_mb)
            self._loaded = load_verified(manifest, data, is_trusted=bool(self._keys.get()))
        return self._loaded

    def _fetch_version(self, version: str, path: str) -> tuple[Manifest, bytes]:
        data = self._fetch(path)
        manifest = self._verify(data)
        if manifest.version != version:
            raise InvalidArtifact("damaged", f"{path} is version {manifest.version}.")
        return manifest, data

    def _fetch(self, path: str) -> bytes:
        stored = self._store.fetch(path, max_bytes=self._settings.max_bytes)
        assert stored is not None  # None only if an etag is passed
        return stored.data

    def _verify(self, artifact: bytes) -> Manifest:
        return verify(artifact, *self._keys.get())
