"""Publish versions to a model store, list them and roll back.

A store holds ``versions/<version>.onnx`` (or ``.skops``) for each version, ``current``, a copy of
the live one, and ``history/``, what was live. Serving reads ``current`` only. A version is written
first, then its entry of the history, then ``current``: whenever a publisher is killed, the live
model is whole and the next publisher can go on.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from obstore.exceptions import AlreadyExistsError

from chalicelib.errors import InvalidArtifact, ObjectNotFound, StoreError
from chalicelib.local.trial import try_model
from chalicelib.models.artifact import (
    FOOTER_BYTES,
    make_footer,
    parse_manifest,
    read_footer,
)
from chalicelib.models.manifest import Manifest
from chalicelib.models.model import load_model, verify
from chalicelib.store.object_store import CURRENT
from training.errors import NoOlderVersion, UnknownVersion
from training.history import Action, Entry, History
from training.store import Item, Tail, WritableStore

MANIFEST_READERS = 8  # threads

# The manifest is near the end of an artifact; one longer than this takes a second read.
TAIL_BYTES = 64 * 1024
_MAX_REPLACEMENTS = 10  # of an object while it is read

VERSIONS = "versions"
EXTENSIONS = {"onnx": "onnx", "sklearn": "skops"}
VERSION_PATTERN = re.compile(r"[0-9a-f]{12}")
_OBJECT_PATTERN = re.compile(rf"{VERSION_PATTERN.pattern}\.(onnx|skops)")

LOG = logging.getLogger(__name__)


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
        The version that is live now, if any; "unreadable" if the live object is damaged.
    """

    url: str
    is_new: bool
    live: str | None


class _Live(NamedTuple):
    """What ``current`` holds."""

    version: str
    since: datetime


class ModelRegistry:
    """The published versions of a model, in a store.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    signing_keys : str
        The first one signs what is published. With keys, only versions signed with one of them can
        become live.
    """

    def __init__(self, url: str, *signing_keys: str) -> None:
        self._store = WritableStore(url)
        self.url = self._store.url
        self._keys = signing_keys
        self._history = History(self._store)

    def publish(self, artifact: bytes, *, is_loaded: bool = False) -> str:
        """Write a version, if it is new, make it live and return its URL.

        Parameters
        ----------
        artifact : bytes
            From `training.artifact.build_artifact`.
        is_loaded : bool, default=False
            Whether this process has just built the artifact, and loaded it as a server does: its
            model is not loaded again.

        Raises
        ------
        InvalidArtifact
            If a server would reject the artifact. Nothing is written.
        StoreError
            If the store cannot be written.
        """
        if self._keys:
            artifact = sign_artifact(artifact, self._keys[0])
        manifest = _verify(artifact, *self._keys, is_loaded=is_loaded)
        path = _version_path(manifest)
        self._store.create_folder()
        with self._store.lock():
            try:
                self._store.put(path, artifact, mode="create")
            except AlreadyExistsError:
                artifact = self._keep_or_repair(path, artifact)
            self._make_live(manifest.version, artifact, "publish")
        return f"{self.url}/{path}"

    def plan_publish(self, artifact: bytes, *, is_loaded: bool = False) -> Plan:
        """Check an artifact as `publish` does and return what would happen; write nothing.

        Parameters
        ----------
        artifact : bytes
            From `training.artifact.build_artifact`.
        is_loaded : bool, default=False
            As for `publish`.

        Raises
        ------
        InvalidArtifact
            If a server would reject the artifact.
        StoreError
            If the store cannot be read.
        """
        path = _version_path(_verify(artifact, is_loaded=is_loaded))
        live, is_new = None, True
        try:
            live = self.live_version()
        except ObjectNotFound:
            pass
        except InvalidArtifact:
            live = "unreadable"
        with suppress(ObjectNotFound):  # there is no folder yet
            is_new = self._store.head(path) is None
        return Plan(f"{self.url}/{path}", is_new, live)

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
        return self._read_live().version

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
        return self._read_manifest(self._get_version(version).path)[1]

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

    def rollback(self, version: str | None = None) -> str:
        """Make an older version live again and return it.

        Parameters
        ----------
        version : str, optional
            12 hex digits. Default: the version that was live before the live one, according to the
            history; one that a server would reject is skipped with a warning.

        Raises
        ------
        UnknownVersion
            If the store does not have this version.
        NoOlderVersion
            If nothing was live before the live version.
        InvalidArtifact
            If a server would reject the version. The live version stays.
        StoreError
            If the store cannot be read or written.
        """
        with self._store.lock():
            if version:
                artifact = self._load(version)
                restores = self._find_entry(version)
            else:
                version, artifact, restores = self._load_previous()
            self._make_live(version, artifact, "rollback", restores=restores)
        return version

    def history(self, limit: int | None = None) -> Sequence[Entry]:
        """Return what went live, newest first; at most the `limit` newest entries.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        return self._history.read(list(itertools.islice(self._history.list(), limit)))

    def _make_live(
        self, version: str, artifact: bytes, action: Action, *, restores: int | None = None
    ) -> None:
        """Write the history, completed where another publisher could not, and ``current``."""
        try:
            self._write_history(version, action, restores)
        except StoreError as error:  # the history must not keep a good model from going live
            LOG.warning("the history was not written: %s", error)
        self._store.put(CURRENT, artifact, mode="overwrite")

    def _write_history(self, version: str, action: Action, restores: int | None) -> None:
        live = None
        with suppress(StoreError, InvalidArtifact):  # absent or damaged
            live = self._read_live()
        newest = next(self._history.list(), None)
        number = newest.number if newest else 0
        if live and (newest is None or newest.version != live.version):
            same = self._find_entry(live.version)
            self._history.add(live.version, "found", after=number, restores=same, at=live.since)
            number += 1
        if live is None or live.version != version:
            self._history.add(version, action, after=number, restores=restores)

    def _find_entry(self, version: str) -> int | None:
        """Return the number of the newest entry of a version."""
        numbers = (entry.number for entry in self._history.list() if entry.version == version)
        return next(numbers, None)

    def _load_previous(self) -> tuple[str, bytes, int | None]:
        """Load the newest version that was live before and that a server accepts.

        Return it, its artifact, and the number of its entry in the history.
        """
        live = None
        try:
            live = self._read_live().version
        except (ObjectNotFound, InvalidArtifact) as error:
            LOG.warning("the live model is ignored: %s", error)
        rejection: Exception | None = None
        for version, number in self._previous(live):
            try:
                return version, self._load(version), number
            except (InvalidArtifact, UnknownVersion, ObjectNotFound) as error:
                rejection = rejection or error
                LOG.warning("skipped %s: %s", version, error)
        raise rejection or NoOlderVersion(live, self.url)

    def _load(self, version: str) -> bytes:
        """Return an artifact that a server accepts."""
        artifact = self._store.fetch(self._get_version(version).path)
        self._check_stored(artifact, *self._keys)
        return artifact

    def _check_stored(self, artifact: bytes, *keys: str) -> None:
        """Raise `InvalidArtifact` if a server rejects an artifact that anyone may have stored."""
        if not keys:
            try_model(artifact)
        load_model(artifact, *keys)

    def _previous(self, live: str | None) -> Iterator[tuple[str, int | None]]:
        """Yield what was live before, newest first, and the numbers of its entries.

        Versions from before there was a history follow, by their age.
        """
        for entry in self._history.before(live):
            yield entry.version, entry.restores or entry.number
        yield from ((version, None) for version in self._unrecorded(live))

    def _unrecorded(self, live: str | None) -> list[str]:
        """Return the versions from before there was a history, and before the live one."""
        entries = list(self._history.list())
        versions = list(self.versions())
        if not entries:
            names = [version.version for version in versions]
            live = live or next(iter(names), None)
            return names[names.index(live) + 1 :] if live in names else names
        recorded = {entry.version for entry in entries}
        # A later one was not live either: its publisher was killed.
        return [
            version.version
            for version in versions
            if version.version not in recorded and version.published_at <= entries[-1].at
        ]

    def _keep_or_repair(self, path: str, artifact: bytes) -> bytes:
        """Return the stored artifact if it can be served, else overwrite it with the new one."""
        stored = self._store.fetch(path)
        try:
            self._check_stored(stored, *self._keys[:1])
        except InvalidArtifact:  # damaged, unsigned, or signed with a previous or another key
            self._store.put(path, artifact, mode="overwrite")
            return artifact
        return stored

    def _sort_by_created_at(self, same_time: list[Version]) -> list[Version]:
        """Sort versions with the same `published_at`, newest first, by their manifests."""
        if len(same_time) == 1:
            return same_time
        created_at = {
            version: str(manifest.get("created_at")) if manifest else ""
            for version, manifest in zip(same_time, self.manifests(same_time), strict=True)
        }
        return sorted(same_time, key=created_at.__getitem__, reverse=True)

    def _get_version(self, version: str) -> Version:
        if VERSION_PATTERN.fullmatch(version):
            for extension in EXTENSIONS.values():
                item = self._store.head(f"{VERSIONS}/{version}.{extension}")
                if item:
                    return _to_version(item)
        raise UnknownVersion(version, self.url)

    def _read_live(self) -> _Live:
        tail, manifest = self._read_manifest(CURRENT)
        return _Live(_check_version(str(manifest.get("version"))), tail.modified)

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


def sign_artifact(artifact: bytes, key: str) -> bytes:
    """Replace the footer of an artifact with one signed with `key`."""
    footer = read_footer(artifact)
    content = artifact[:-FOOTER_BYTES]
    return content + make_footer(content, footer.manifest_start, footer.manifest_length, key)


def _verify(artifact: bytes, *keys: str, is_loaded: bool) -> Manifest:
    """Return the manifest of an artifact that a server accepts."""
    return verify(artifact, *keys) if is_loaded else load_model(artifact, *keys).manifest


def _version_path(manifest: Manifest) -> str:
    return f"{VERSIONS}/{_check_version(manifest.version)}.{EXTENSIONS[manifest.runtime]}"


def _check_version(version: str) -> str:
    """Return a version; raise `InvalidArtifact` if it is none, as it becomes part of a path."""
    if not VERSION_PATTERN.fullmatch(version):
        raise InvalidArtifact("unreadable manifest", "The manifest has no valid version.")
    return version


def _to_version(item: Item) -> Version:
    return Version(Path(item.path).stem, *item)
