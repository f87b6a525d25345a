"""Publish versions to a model store, list them and roll back.

A store holds ``versions/<version>.onnx`` (or ``.skops``) for each version, and ``current``, a copy
of the live one.
"""

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
MANIFEST_READERS = 8  # threads

# The manifest is near the end of an artifact; one longer than this takes a second read.
TAIL_BYTES = 64 * 1024

VERSIONS = "versions"
EXTENSIONS = {"onnx": "onnx", "sklearn": "skops"}
VERSION_PATTERN = re.compile(r"[0-9a-f]{12}")


class Version(NamedTuple):
    """A version in the store.

    Parameters
    ----------
    version : str
        12 hex digits, computed from the model and its manifest.
    path : str
        The object's path below the store's URL.
    published_at : datetime
        When the object was written, in UTC; to the second on S3.
    size : int
        Bytes.
    """

    version: str
    path: str
    published_at: datetime
    size: int


class Plan(NamedTuple):
    """What publishing an artifact would do.

    Parameters
    ----------
    url : str
        The URL of the version.
    is_new : bool
        Whether the store does not have this version yet.
    live : str or None
        The version that is live now, if any.
    """

    url: str
    is_new: bool
    live: str | None


class ModelRegistry:
    """The published versions of a model, in a store.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    signing_key : str, optional
        Signs what is published. With a key, only versions signed with it can become live.
    """

    def __init__(self, url: str, signing_key: str | None = None) -> None:
        self.url = store_url(url)
        self._key = signing_key
        self._store = ObjectStore(self.url, timeout_seconds=TIMEOUT_SECONDS, retries=RETRIES)

    def publish(self, artifact: bytes) -> str:
        """Write a version, if it is new, make it live and return its URL.

        Parameters
        ----------
        artifact : bytes
            From `training.artifact.build_artifact`.

        Raises
        ------
        InvalidArtifact
            If a server would reject the artifact. Nothing is written.
        StoreError
            If the store cannot be written.
        """
        if self._key is not None:
            artifact = sign_artifact(artifact, self._key)
        path = _version_path(load_model(artifact, self._key))
        if self.url.startswith("file:"):
            path_from_url(self.url).mkdir(parents=True, exist_ok=True)
        try:
            self._put(path, artifact, mode="create")
        except AlreadyExistsError:
            artifact = self._keep_or_repair(path, artifact)
        self._put(CURRENT, artifact, mode="overwrite")
        return f"{self.url}/{path}"

    def plan_publish(self, artifact: bytes) -> Plan:
        """Check an artifact as `publish` does and return what would happen; write nothing.

        Parameters
        ----------
        artifact : bytes
            From `training.artifact.build_artifact`.

        Raises
        ------
        InvalidArtifact
            If a server would reject the artifact.
        StoreError
            If the store cannot be read.
        """
        path = _version_path(load_model(artifact))
        live, is_new = None, True
        with suppress(ObjectNotFound):
            live = self.live_version()
            is_new = self._head(path) is None
        return Plan(f"{self.url}/{path}", is_new, live)

    def versions(self) -> Iterator[Version]:
        """List the published versions, newest first.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        with translated_errors(self.url, needs="s3:ListBucket"):
            versions = [
                Version(Path(item["path"]).stem, item["path"], item["last_modified"], item["size"])
                for page in obstore.list(self._store.opened, VERSIONS)
                for item in page
            ]
        newest_first = sorted(versions, key=attrgetter("published_at"), reverse=True)
        for _, same_time in itertools.groupby(newest_first, key=attrgetter("published_at")):
            yield from self._sort_by_created_at(list(same_time))

    def live_version(self) -> str:
        """Return the version that is live.

        Raises
        ------
        ObjectNotFound
            If nothing was published.
        InvalidArtifact
            If the live object is not an artifact.
        StoreError
            If the store cannot be read.
        """
        return str(self._read_manifest(CURRENT)["version"])

    def manifest(self, version: str) -> dict[str, Any]:
        """Read the manifest of a version.

        Parameters
        ----------
        version : str
            12 hex digits.

        Raises
        ------
        UnknownVersion
            If the store does not have this version.
        InvalidArtifact
            If the object has no footer, or no manifest.
        StoreError
            If the store cannot be read.
        """
        return self._read_manifest(self._get_version(version).path)

    def manifests(self, versions: list[Version]) -> list[dict[str, Any] | None]:
        """Read the manifests of several versions in parallel.

        Parameters
        ----------
        versions : list of Version
            From `versions`.

        Returns
        -------
        list of dict or None
            In the same order; None where the object is not an artifact.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """

        def read(version: Version) -> dict[str, Any] | None:
            with suppress(InvalidArtifact):
                return self._read_manifest(version.path)
            return None

        with ThreadPoolExecutor(max_workers=MANIFEST_READERS) as pool:
            return list(pool.map(read, versions))

    def rollback(self, version: str | None = None) -> str:
        """Make an older version live again and return it.

        Parameters
        ----------
        version : str, optional
            12 hex digits. Default: the version published before the live one.

        Raises
        ------
        UnknownVersion
            If the store does not have this version.
        NoOlderVersion
            If nothing was published before the live version.
        InvalidArtifact
            If a server would reject the version. The live version stays.
        StoreError
            If the store cannot be read or written.
        """
        target = self._get_version(version) if version else self._previous(self.live_version())
        artifact = self._get(target.path)
        load_model(artifact, self._key)
        self._put(CURRENT, artifact, mode="overwrite")
        return target.version

    def _keep_or_repair(self, path: str, artifact: bytes) -> bytes:
        """Return the stored artifact if it can be served, else overwrite it with the new one."""
        stored = self._get(path)
        try:
            load_model(stored, self._key)
        except InvalidArtifact:  # damaged, unsigned, or signed with another key
            self._put(path, artifact, mode="overwrite")
            return artifact
        return stored

    def _sort_by_created_at(self, same_time: list[Version]) -> list[Version]:
        """Sort versions with the same `published_at`, newest first, by their manifests."""
        if len(same_time) == 1:
            return same_time
        created_at = {
            version: str(manifest["created_at"]) if manifest else ""
            for version, manifest in zip(same_time, self.manifests(same_time), strict=True)
        }
        return sorted(same_time, key=created_at.__getitem__, reverse=True)

    def _get_version(self, version: str) -> Version:
        if VERSION_PATTERN.fullmatch(version):
            for extension in EXTENSIONS.values():
                stored = self._head(f"{VERSIONS}/{version}.{extension}")
                if stored:
                    return stored
        raise UnknownVersion(version, self.url)

    def _head(self, path: str) -> Version | None:
        with suppress(ObjectNotFound), translated_errors(f"{self.url}/{path}"):
            meta = obstore.head(self._store.opened, path)
            return Version(Path(path).stem, path, meta["last_modified"], meta["size"])
        return None

    def _previous(self, live: str) -> Version:
        newest_first = self.versions()
        if any(version.version == live for version in newest_first):
            previous = next(newest_first, None)  # `any` stopped at the live version
            if previous:
                return previous
        raise NoOlderVersion(live, self.url)

    def _put(self, path: str, artifact: bytes, *, mode: Literal["create", "overwrite"]) -> None:
        with translated_errors(f"{self.url}/{path}", needs="s3:PutObject"):
            obstore.put(self._store.opened, path, artifact, mode=mode, use_multipart=False)

    def _get(self, path: str) -> bytes:
        stored = self._store.fetch(path)
        assert stored is not None  # None only if an etag was passed
        return stored.data

    def _read_manifest(self, path: str) -> dict[str, Any]:
        """Read a manifest without downloading the model before it."""
        with translated_errors(f"{self.url}/{path}"):
            size = obstore.head(self._store.opened, path)["size"]
            tail = self._read_tail(path, size, TAIL_BYTES)
            footer = read_footer(tail)
            length = size - footer.manifest_start
            if length > len(tail):
                tail = self._read_tail(path, size, length)
        start = len(tail) - length
        return parse_manifest(tail[start : start + footer.manifest_length])

    def _read_tail(self, path: str, size: int, length: int) -> bytes:
        if not size:
            return b""
        start = max(0, size - length)
        return obstore.get_range(self._store.opened, path, start=start, end=size).to_bytes()


def sign_artifact(artifact: bytes, key: str) -> bytes:
    """Replace the footer of an artifact with one signed with `key`."""
    footer = read_footer(artifact)
    content = artifact[:-FOOTER_BYTES]
    return content + make_footer(content, footer.manifest_start, footer.manifest_length, key)


def _version_path(model: Model) -> str:
    manifest = model.manifest
    return f"{VERSIONS}/{manifest.version}.{EXTENSIONS[manifest.runtime]}"
