"""What was live in a model store, in order: an object for each time that a version went live.

``history/<number>-<version>.json``. Numbers order the entries, so that no clock does; they count
down, so that a listing begins with the newest.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, get_args

from obstore.exceptions import AlreadyExistsError

from chalicelib.errors import ServingError
from training.store import Item, WritableStore

Action = Literal["publish", "rollback", "found"]

_FOLDER = "history"
_HIGHEST = 10**10 - 1
_NAME = re.compile(r"(\d{10})-([0-9a-f]{12})\.json")
_READERS = 8  # threads

# Who publishes: the first that is set. Empty, it leaves out who it was.
_PUBLISHER_VARIABLES = ("MODEL_PUBLISHER", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME")
_MAX_CHARACTERS = 100


class Entry(NamedTuple):
    """A version that went live.

    Parameters
    ----------
    number : int
        Entries are ordered by it, from 1 on.
    version : str
    at : datetime
        When it went live, by the clock of the machine that published, in UTC.
    by : str or None
        Who made it live, if known.
    action : {"publish", "rollback", "found"} or None
        Why it went live: "found" if it was live before there was a history, or still was after a
        publisher had been killed; None if the entry cannot be read.
    restores : int or None
        The number of the entry that this one goes back to, if any.
    """

    number: int
    version: str
    at: datetime
    by: str | None = None
    action: Action | None = None
    restores: int | None = None


class History:
    """The history of a model store."""

    def __init__(self, store: WritableStore) -> None:
        self._store = store

    def list(self) -> Iterator[Entry]:
        """List the entries, newest first, by their names alone."""
        for item in self._store.list(_FOLDER, _NAME):
            yield _from_name(item)

    def read(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Read all of some entries, in parallel; what cannot be read stays as it was listed."""
        with ThreadPoolExecutor(max_workers=_READERS) as pool:
            return list(pool.map(self._read, entries))

    def add(
        self,
        version: str,
        action: Action,
        *,
        after: int,
        restores: int | None = None,
        at: datetime | None = None,
    ) -> None:
        """Add an entry after the one with a number; two at the same moment may share theirs."""
        entry = {
            "version": version,
            "at": (at or datetime.now(UTC)).isoformat(timespec="seconds"),
            "by": None if action == "found" else publisher(os.environ),
            "action": action,
            "restores": restores,
        }
        path = _path(after + 1, version)
        with suppress(AlreadyExistsError):  # another process has made the same version live
            self._store.put(path, json.dumps(entry).encode(), mode="create")

    def before(self, live: str | None) -> Iterator[Entry]:
        """Yield what was live before the live version, newest first, without what was undone.

        Entries newer than the live version's did not go live: their publishers were killed. If
        `live` is None, it is the newest entry's; if it has no entry, it is newer than all.
        """
        entries = list(self.list())
        live = live or (entries[0].version if entries else None)
        index = next((i for i, entry in enumerate(entries) if entry.version == live), None)
        position = _HIGHEST
        for listed in entries[index:]:
            if listed.number < position:
                entry = self._read(listed)
                position = entry.restores or entry.number
                if entry.version != live:
                    yield entry

    def _read(self, entry: Entry) -> Entry:
        try:
            document = json.loads(self._store.fetch(_path(entry.number, entry.version)))
            at = datetime.fromisoformat(document["at"]).astimezone(UTC)
            action, restores = document["action"], document["restores"]
        except (ServingError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return entry
        is_earlier = type(restores) is int and 0 < restores < entry.number
        return entry._replace(
            at=at,
            by=_printable(document.get("by")),
            action=action if action in get_args(Action) else None,
            restores=restores if is_earlier else None,
        )


def publisher(environ: Mapping[str, str]) -> str | None:
    """Return who publishes, by the first variable of `_PUBLISHER_VARIABLES` that is set."""
    names = [name for name in _PUBLISHER_VARIABLES if name in environ]
    return _printable(environ[names[0]]) if names else None


def _printable(text: Any) -> str | None:
    """Return a text without control characters and cut, or None if nothing is left."""
    if not isinstance(text, str):
        return None
    return "".join(filter(str.isprintable, text))[:_MAX_CHARACTERS].strip() or None


def _path(number: int, version: str) -> str:
    return f"{_FOLDER}/{_HIGHEST - number:010d}-{version}.json"


def _from_name(item: Item) -> Entry:
    match = _NAME.fullmatch(item.path.removeprefix(f"{_FOLDER}/"))
    assert match is not None  # listed by this pattern
    return Entry(_HIGHEST - int(match[1]), match[2], item.modified)
