"""Publish versions to a model store and roll back.

A store holds ``versions/<version>.onnx`` (or ``.skops``) for each version, ``current``, a copy of
the live one, and ``history/``, what was live. Serving reads ``current`` only. A version is written
first, then its entry of the history, then ``current``: whenever a publisher is killed, the live
model is whole and the next publisher can go on.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from obstore.exceptions import AlreadyExistsError

from chalicelib.errors import InvalidArtifact, ObjectNotFound, StoreError
from chalicelib.local.trial import try_model
from chalicelib.models.artifact import FOOTER_BYTES, make_footer, read_footer
from chalicelib.models.manifest import Manifest
from chalicelib.models.model import load_model, verify
from chalicelib.store.object_store import CURRENT
from training.errors import NoOlderVersion, UnknownVersion
from training.history import Action, Entry, History
from training.versions import PublishedVersions, version_path

LOG = logging.getLogger(__name__)


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


class ModelRegistry(PublishedVersions):
    """The versions in a store, to which others are published.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    signing_keys : str
        The first one signs what is published. With keys, only versions signed with one of them can
        become live.
    """

    def __init__(self, url: str, *signing_keys: str) -> None:
        super().__init__(url)
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
        path = version_path(manifest)
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
        path = version_path(_verify(artifact, is_loaded=is_loaded))
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
            live = self.read_live()
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
            live = self.read_live().version
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
        artifact = self._store.fetch(self.get_version(version).path)
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


def sign_artifact(artifact: bytes, key: str) -> bytes:
    """Replace the footer of an artifact with one signed with `key`."""
    footer = read_footer(artifact)
    content = artifact[:-FOOTER_BYTES]
    return content + make_footer(content, footer.manifest_start, footer.manifest_length, key)


def _verify(artifact: bytes, *keys: str, is_loaded: bool) -> Manifest:
    """Return the manifest of an artifact that a server accepts."""
    return verify(artifact, *keys) if is_loaded else load_model(artifact, *keys).manifest
