"""The model store, written: publish a version, list them, make an older one live again."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError

from chalicelib.errors import InvalidArtifact, ObjectNotFound
from chalicelib.models.artifact import (
    FOOTER_BYTES,
    make_footer,
    parse_manifest,
    read_footer,
)
from chalicelib.models.model import Model, load_model
from chalicelib.store.object_store import (
    CURRENT,
    ObjectStore,
    path_from_url,
    store_url,
    translated_errors,
)
from training.errors import NoOlderVersion, UnknownVersion

TIMEOUT_SECONDS = 60.0
RETRIES = 2
READERS = 8

# Of an artifact's end, where its manifest is; a longer manifest takes a second read.
TAIL_BYTES = 64 * 1024

VERSIONS = "versions"
EXTENSIONS = {"onnx": "onnx", "sklearn": "skops"}
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


class Plan(NamedTuple):
    """What publishing would do.

    Parameters
    ----------
    url : str
        The URL of the version.
    is_new : bool
        Whether it would be written, as it is not there yet.
    live : str or None
        The version that is live now, if there is one.
    """

    url: str
    is_new: bool
    live: str | None


class ModelRegistry:
    """A model store that versions are published to.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    signing_key : str, optional
        What is signed with, and what a version must be signed with to be made live.
    """

    def __init__(self, url: str, signing_key: str | None = None) -> None:
        self.url = store_url(url)
        self._key = signing_key
        self._objects = ObjectStore(self.url, timeout_seconds=TIMEOUT_SECONDS, retries=RETRIES)

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
        if self._key is not None:
            artifact = sign_artifact(artifact, self._key)
        path = self._path_of(load_model(artifact, self._key))
        if self.url.startswith("file:"):
            path_from_url(self.url).mkdir(parents=True, exist_ok=True)
        try:
            self._put(path, artifact, mode="create")
        except AlreadyExistsError:
            artifact = self._agree_on(path, artifact)
        self._put(CURRENT, artifact, mode="overwrite")
        return f"{self.url}/{path}"

    def plan_publish(self, artifact: bytes) -> Plan:
        """Check all that `publish` checks, and write nothing.

        Parameters
        ----------
        artifact : bytes
            From `training.artifact.build_artifact`.

        Returns
        -------
        Plan

        Raises
        ------
        InvalidArtifact
            If it is not a model that would be served.
        StoreError
            If the store cannot be read.
        """
        model = load_model(artifact)
        live, is_new = None, True
        with suppress(ObjectNotFound):
            live = self.live_version()
            is_new = self._exists(self._path_of(model)) is None
        return Plan(f"{self.url}/{self._path_of(model)}", is_new, live)

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
        with translated_errors(self.url, needs="s3:ListBucket"):
            found = [
                Version(Path(item["path"]).stem, item["path"], item["last_modified"], item["size"])
                for page in obstore.list(self._objects.opened, VERSIONS)
                for item in page
            ]
        newest_first = sorted(found, key=attrgetter("published_at"), reverse=True)
        for _, same_time in itertools.groupby(newest_first, key=attrgetter("published_at")):
            yield from self._newest_first(list(same_time))

    def live_version(self) -> str:
        """Tell which version is live.

        Returns
        -------
        str

        Raises
        ------
        ObjectNotFound
            If there is none.
        StoreError
            If the store cannot be read.
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
        InvalidArtifact
            If the object there is not whole.
        StoreError
            If the store cannot be read.
        """
        return self._manifest_at(self._find(version).path)

    def manifests(self, versions: list[Version]) -> list[dict[str, Any] | None]:
        """Read the manifests of versions that were listed, a few at a time.

        Parameters
        ----------
        versions : list of Version
            From `versions`.

        Returns
        -------
        list of dict or None
            None where the object is no artifact.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """

        def read(version: Version) -> dict[str, Any] | None:
            with suppress(InvalidArtifact):
                return self._manifest_at(version.path)
            return None

        with ThreadPoolExecutor(max_workers=READERS) as pool:
            return list(pool.map(read, versions))

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
        NoOlderVersion
            If there is none before the live one.
        InvalidArtifact
            If it is not a model that would be served.
        StoreError
            If the store cannot be read or written.
        """
        target = self._find(version) if version else self._before(self.live_version())
        artifact = self._get(target.path)
        load_model(artifact, self._key)
        self._put(CURRENT, artifact, mode="overwrite")
        return target.version

    def _path_of(self, model: Model) -> str:
        manifest = model.manifest
        return f"{VERSIONS}/{manifest.version}.{EXTENSIONS[manifest.runtime]}"

    def _agree_on(self, path: str, artifact: bytes) -> bytes:
        """Keep what a version holds already, unless no server of ours would take it."""
        held = self._get(path)
        try:
            load_model(held, self._key)
        except InvalidArtifact:  # damaged, or signed with another key or none
            self._put(path, artifact, mode="overwrite")
            return artifact
        return held

    def _newest_first(self, same_time: list[Version]) -> list[Version]:
        """Order versions of one time, which S3 tells to the second, by what their manifests say."""
        if len(same_time) == 1:
            return same_time
        made = {
            version: str(manifest["created_at"]) if manifest else ""
            for version, manifest in zip(same_time, self.manifests(same_time), strict=True)
        }
        return sorted(same_time, key=made.__getitem__, reverse=True)

    def _find(self, version: str) -> Version:
        if VERSION_PATTERN.fullmatch(version):
            for extension in EXTENSIONS.values():
                found = self._exists(f"{VERSIONS}/{version}.{extension}")
                if found:
                    return found
        raise UnknownVersion(version, self.url)

    def _exists(self, path: str) -> Version | None:
        with suppress(ObjectNotFound), translated_errors(f"{self.url}/{path}"):
            meta = obstore.head(self._objects.opened, path)
            return Version(Path(path).stem, path, meta["last_modified"], meta["size"])
        return None

    def _before(self, live: str) -> Version:
        newest_first = self.versions()
        if any(version.version == live for version in newest_first):
            older = next(newest_first, None)  # the search stopped at the live one
            if older:
                return older
        raise NoOlderVersion(live, self.url)

    def _put(self, path: str, artifact: bytes, *, mode: Literal["create", "overwrite"]) -> None:
        with translated_errors(f"{self.url}/{path}", needs="s3:PutObject"):
            obstore.put(self._objects.opened, path, artifact, mode=mode, use_multipart=False)

    def _get(self, path: str) -> bytes:
        fetched = self._objects.fetch(path)
        assert fetched is not None  # only a fetch with an etag may be left out
        return fetched.data

    def _manifest_at(self, path: str) -> dict[str, Any]:
        """Read a manifest, but not the model before it."""
        with translated_errors(f"{self.url}/{path}"):
            size = obstore.head(self._objects.opened, path)["size"]
            tail = self._tail(path, size, TAIL_BYTES)
            seal = read_footer(tail)
            length = size - seal.manifest_start
            if length > len(tail):
                tail = self._tail(path, size, length)
        start = len(tail) - length
        return parse_manifest(tail[start : start + seal.manifest_length])

    def _tail(self, path: str, size: int, length: int) -> bytes:
        if not size:
            return b""
        start = max(0, size - length)
        return obstore.get_range(self._objects.opened, path, start=start, end=size).to_bytes()


def sign_artifact(artifact: bytes, key: str) -> bytes:
    """Sign an artifact.

    Parameters
    ----------
    artifact : bytes
        From `build_artifact`; a signature that it has already is replaced.
    key : str
        What to sign with.

    Returns
    -------
    bytes
        The same, but for its seal.
    """
    found = read_footer(artifact)
    content = artifact[:-FOOTER_BYTES]
    return content + make_footer(content, found.manifest_start, found.manifest_length, key)
