"""The state of files that a stack scores, from the objects of their inbox and outbox alone."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from chalicelib.bulk.inbox import INBOX
from chalicelib.bulk.outbox import (
    DONE,
    FAILED,
    MARKER,
    OUTBOX,
    PLAN,
    RUNS,
    SPLIT,
    SUCCESS,
    Plan,
)
from training.store import Item, WritableStore

_ANY = re.compile(r".+", re.DOTALL)
_NAMES = "|".join(map(re.escape, (PLAN, SUCCESS, FAILED)))
_OBJECT = re.compile(rf"(.+?)/((?:{_NAMES})|part-\d{{5}}\.csv|{RUNS}/.+)", re.DOTALL)
_NEVER = datetime.min.replace(tzinfo=UTC)


class Job(NamedTuple):
    """A file that is scored."""

    file: str  # below the inbox
    state: str  # waiting, splitting, scoring, scored or failed
    at: datetime  # of the last change, in UTC
    ranges: int | None = None  # None until it is split
    done: int = 0  # ranges
    rows: int = 0  # of these ranges
    rejected: int = 0
    version: str | None = None
    error: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is done."""
        return self.state in ("scored", "failed")


class Jobs:
    """The files of a store.

    Parameters
    ----------
    url : str
        The URL of the model store.
    """

    def __init__(self, url: str) -> None:
        self._store = WritableStore(url)
        self.url = self._store.url

    def list(self, limit: int = 0) -> list[Job]:
        """Return the files, those that changed last first; all of them if the limit is 0."""
        put = {item.path.removeprefix(f"{INBOX}/"): item for item in self._items(INBOX)}
        written = _group(self._items(OUTBOX))
        changed = {
            file: max(item.modified for item in (*written[file].values(), put.get(file)) if item)
            for file in {*put, *written}
            if not file.endswith("/")
        }
        files = sorted(changed, key=lambda file: changed[file], reverse=True)
        return [self._find(file, put.get(file), written[file]) for file in files[: limit or None]]

    def find(self, file: str) -> Job | None:
        """Return a file, or None if there is none."""
        put = self._store.head(f"{INBOX}/{file}")
        written = _group(self._items(f"{OUTBOX}/{file}"))[file]
        return self._find(file, put, written) if put or written else None

    def _items(self, folder: str) -> Iterable[Item]:
        return self._store.list(folder, _ANY)

    def _find(self, file: str, put: Item | None, written: dict[str, Item]) -> Job:
        plan_item, success, failed = (written.get(name) for name in (PLAN, SUCCESS, FAILED))
        latest = max((item.modified for item in (success, failed, plan_item) if item), default=None)
        if latest is None or (put is not None and put.modified > latest):
            return Job(file, "waiting", put.modified if put else _NEVER)
        if success is not None:
            result = self._read(file, SUCCESS)
            counts = (result["parts"], result["parts"], result["rows"], result["rejected"])
            return Job(file, "scored", success.modified, *counts, result["version"])
        job = Job(file, "splitting", latest)
        if plan_item is not None:
            job = self._count(job, Plan(**self._read(file, PLAN)), written)
        if failed is not None:
            error = self._read(file, FAILED)["error"]
            return job._replace(state="failed", at=failed.modified, error=error)
        return job

    def _count(self, job: Job, plan: Plan, written: dict[str, Item]) -> Job:
        """Return a job with what its plan and the markers of its run tell."""
        job = job._replace(version=plan.version)
        folder = f"{RUNS}/{plan.run}"
        if f"{folder}/{SPLIT}" not in written:
            return job
        markers = {
            int(match[1]): (int(match[2]), int(match[3]), item.modified)
            for name, item in written.items()
            if name.startswith(f"{folder}/{DONE}/")
            and (match := MARKER.fullmatch(name.rpartition("/")[2]))
        }
        return job._replace(
            state="scoring",
            at=max([job.at, *(at for _, _, at in markers.values())]),
            ranges=len(self._read(job.file, f"{folder}/{SPLIT}")["ranges"]),
            done=len(markers),
            rows=sum(rows for rows, _, _ in markers.values()),
            rejected=sum(rejected for _, rejected, _ in markers.values()),
        )

    def _read(self, file: str, name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._store.fetch(f"{OUTBOX}/{file}/{name}"))
        return document


def _group(items: Iterable[Item]) -> defaultdict[str, dict[str, Item]]:
    """Return the objects of the outbox by file and name."""
    groups: defaultdict[str, dict[str, Item]] = defaultdict(dict)
    for item in items:
        match = _OBJECT.fullmatch(item.path.removeprefix(f"{OUTBOX}/"))
        if match:
            groups[match[1]][match[2]] = item
    return groups
