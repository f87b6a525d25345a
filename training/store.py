"""The model store, written: publish a version, list them, make an older one live again."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError

from chalicelib.artifact import read_manifest
from chalicelib.errors import ObjectNotFound
from chalicelib.model import load_model
from chalicelib.model_store import CURRENT
from chalicelib.object_store import ObjectStore, folder_at, store_url, translated_errors
from training.errors import TrainingError, UnknownVersion

VERSIONS = "versions"
RUNTIMES = ("onnx",)
VERSION_PATTERN = re.compile(r"[0-9a-f]{12}")


class Version(NamedTuple):
    """A version in the store.

    Parameters
    ----------
    version : str
        Its name.
    path : str
        The object's name below the store's URL.
    published_at : datetime
        When it was written.
    size : int
        Its size in bytes.
    """

    version: str
    path: str
    published_at: datetime
    size: int


class WritableStore:
    """A model store that versions are published to.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    """

    def __init__(self, url: str) -> None:
        self.url = store_url(url)
        self._objects = ObjectStore(self.url)

    def publish(self, artifact: bytes) -> str:
        """Write a version, if it is new, and make it live.

        Parameters
        ----------
        artifact : bytes
            From `training.artifact.build_artifact`.

        Returns
        -------
        str
            The URL of the version.

        Raises
        ------
        InvalidArtifact
            If it is not a model that would be served.
        StoreError
            If the store cannot be written.
        """
        manifest = load_model(artifact).manifest
        path = f"{VERSIONS}/{manifest.version}.{manifest.runtime}"
        if self.url.startswith("file:"):
            folder_at(self.url).mkdir(parents=True, exist_ok=True)
        try:
            self._put(path, artifact, mode="create")
        except AlreadyExistsError:  # the same version holds the same model
            artifact = self._get(path)
        self._put(CURRENT, artifact, mode="overwrite")
        return f"{self.url}/{path}"

    def versions(self) -> Iterator[Version]:
        """List what has been published.

        Yields
        ------
        Version
            The newest first.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        with translated_errors(self.url):
            found = [
                Version(Path(item["path"]).stem, item["path"], item["last_modified"], item["size"])
                for page in obstore.list(self._objects.opened, VERSIONS)
                for item in page
            ]
        newest_first = sorted(found, key=attrgetter("published_at"), reverse=True)
        for _, same_time in itertools.groupby(newest_first, key=attrgetter("published_at")):
            yield from self._newest_first(list(same_time))

    def _newest_first(self, same_time: list[Version]) -> list[Version]:
        """Order versions of one time, which S3 tells to the second, by what their manifests say."""
        if len(same_time) == 1:
            return same_time
        return sorted(same_time, key=lambda v: str(self.manifest_of(v)["created_at"]), reverse=True)

    def live_version(self) -> str:
        """Tell which version is live.

        Returns
        -------
        str

        Raises
        ------
        StoreError
            If there is none, or the store cannot be read.
        """
        return str(self._manifest_at(CURRENT)["version"])

    def manifest(self, version: str) -> dict[str, Any]:
        """Read the manifest of a version.

        Parameters
        ----------
        version : str
            Its name.

        Returns
        -------
        dict

        Raises
        ------
        UnknownVersion
            If the store has no such version.
        StoreError
            If the store cannot be read.
        """
        return self.manifest_of(self._find(version))

    def manifest_of(self, version: Version) -> dict[str, Any]:
        """Read the manifest of a version that `versions` listed.

        Parameters
        ----------
        version : Version
            From `versions`.

        Returns
        -------
        dict

        Raises
        ------
        InvalidArtifact
            If the object there is not whole.
        StoreError
            If the store cannot be read.
        """
        return self._manifest_at(version.path)

    def rollback(self, version: str | None = None) -> str:
        """Make an older version live again.

        Parameters
        ----------
        version : str, optional
            Its name; without it, the one that was published before the live one.

        Returns
        -------
        str
            The version that is live now.

        Raises
        ------
        UnknownVersion
            If the store has no such version.
        TrainingError
            If there is none before the live one.
        InvalidArtifact
            If it is not a model that would be served.
        StoreError
            If the store cannot be read or written.
        """
        target = self._find(version) if version else self._before(self.live_version())
        artifact = self._get(target.path)
        load_model(artifact)
        self._put(CURRENT, artifact, mode="overwrite")
        return target.version

    def _find(self, version: str) -> Version:
        if VERSION_PATTERN.fullmatch(version):
            for runtime in RUNTIMES:
                path = f"{VERSIONS}/{version}.{runtime}"
                with suppress(ObjectNotFound), translated_errors(f"{self.url}/{path}"):
                    meta = obstore.head(self._objects.opened, path)
                    return Version(version, path, meta["last_modified"], meta["size"])
        raise UnknownVersion(version, self.url)

    def _before(self, live: str) -> Version:
        versions = self.versions()
        for version in versions:
            if version.version == live:
                break
        for version in versions:
            return version
        raise TrainingError(f"There is no version before {live} in {self.url}.")

    def _put(self, path: str, artifact: bytes, *, mode: Literal["create", "overwrite"]) -> None:
        with translated_errors(f"{self.url}/{path}"):
            obstore.put(self._objects.opened, path, artifact, mode=mode, use_multipart=False)

    def _get(self, path: str) -> bytes:
        fetched = self._objects.fetch(path)
        assert fetched is not None  # only a fetch with an etag may be left out
        return fetched.data

    def _manifest_at(self, path: str) -> dict[str, Any]:
        return read_manifest(self._get(path))
