"""Read what is in a model store: the versions, their manifests and which one is live.

``versions/<version>.onnx`` (or ``.skops``) holds a version, ``current`` a copy of the live one.
Manifests are read without the models before them.
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
from typing import Any, NamedTuple

from chalicelib.errors import InvalidArtifact, StoreError
from chalicelib.models.artifact import parse_manifest, read_footer
from chalicelib.models.manifest import Manifest
from chalicelib.store.object_store import CURRENT
from training.errors import UnknownVersion
from training.store import Item, Tail, WritableStore

MANIFEST_READERS = 8  # threads

# The manifest is near the end of an artifact; one longer than this takes a second read.
TAIL_BYTES = 64 * 1024
_MAX_REPLACEMENTS = 10  # of an object while it is read

VERSIONS = "versions"
EXTENSIONS = {"onnx": "onnx", "sklearn": "skops"}
VERSION_PATTERN = re.compile(r"[0-9a-f]{12}")
_OBJECT_PATTERN = re.compile(rf"{VERSION_PATTERN.pattern}\.(onnx|skops)")


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


class LiveVersion(NamedTuple):
    """The version that ``current`` holds, and since when."""

    version: str
    since: datetime


class PublishedVersions:
    """The published versions of a model, in a store.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    """

    def __init__(self, url: str) -> None:
        self._store = WritableStore(url)
        self.url = self._store.url

    def versions(self) -> Iterator[Version]:
        """List the published versions, newest first; other objects are skipped with a warning.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        versions = [_to_version(item) for item in self._store.list(VERSIONS, _OBJECT_PATTERN)]
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
        return self.read_live().version

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
        return self._read_manifest(self.get_version(version).path)[1]

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
                return self._read_manifest(version.path)[1]
            return None

        with ThreadPoolExecutor(max_workers=MANIFEST_READERS) as pool:
            return list(pool.map(read, versions))

    def read_live(self) -> LiveVersion:
        """Return what is live, with the errors of `live_version`."""
        tail, manifest = self._read_manifest(CURRENT)
        return LiveVersion(_check_version(str(manifest.get("version"))), tail.modified)

    def get_version(self, version: str) -> Version:
        """Return a version that is in the store, else raise `UnknownVersion`."""
        if VERSION_PATTERN.fullmatch(version):
            for extension in EXTENSIONS.values():
                item = self._store.head(f"{VERSIONS}/{version}.{extension}")
                if item:
                    return _to_version(item)
        raise UnknownVersion(version, self.url)

    def _sort_by_created_at(self, same_time: list[Version]) -> list[Version]:
        """Sort versions with the same `published_at`, newest first, by their manifests."""
        if len(same_time) == 1:
            return same_time
        created_at = {
            version: str(manifest.get("created_at")) if manifest else ""
            for version, manifest in zip(same_time, self.manifests(same_time), strict=True)
        }
        return sorted(same_time, key=created_at.__getitem__, reverse=True)

    def _read_manifest(self, path: str) -> tuple[Tail, dict[str, Any]]:
        """Read a manifest without downloading the model before it.

        What is read fits together, even if another process replaces the object meanwhile.
        """
        for _ in range(_MAX_REPLACEMENTS):
            tail = self._store.fetch_tail(path, TAIL_BYTES)
            assert tail is not None  # None only if an etag was passed
            footer = read_footer(tail.data)
            length = tail.size - footer.manifest_start
            if length > len(tail.data):
                tail = self._store.fetch_tail(path, length, etag=tail.etag)
            if tail is not None:
                start = len(tail.data) - length
                return tail, parse_manifest(tail.data[start : start + footer.manifest_length])
        raise StoreError("interrupted", f"{self.url}/{path} was replaced while it was read.")


def version_path(manifest: Manifest) -> str:
    """Return the path of a version, from its manifest; raise `InvalidArtifact` if it has none."""
    return f"{VERSIONS}/{_check_version(manifest.version)}.{EXTENSIONS[manifest.runtime]}"


def _check_version(version: str) -> str:
    """Return a version; raise `InvalidArtifact` if it is none, as it becomes part of a path."""
    if not VERSION_PATTERN.fullmatch(version):
        raise InvalidArtifact("unreadable manifest", "The manifest has no valid version.")
    return version


def _to_version(item: Item) -> Version:
    return Version(Path(item.path).stem, *item)
