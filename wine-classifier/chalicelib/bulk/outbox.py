"""What is written of a file: its plan, its parts, markers, `_SUCCESS` and `_FAILED`.

::

    outbox/FILE/_plan.json                  run, version of the model, begin
    outbox/FILE/part-00000.csv ...          the rows of each range
    outbox/FILE/_SUCCESS, _FAILED           written last
    outbox/FILE/_runs/RUN/split.json        the ranges
    outbox/FILE/_runs/RUN/split-00000.json  those that a function found before its time was over
    outbox/FILE/_runs/RUN/done/00000.rows-9.rejected-1
    outbox/FILE/_runs/RUN/failed/00000.json
    outbox/FILE/_runs/RUN/tries/00000-1.txt why a try failed

A run is one version of the file. What happened is in the names of markers, so that one listing
tells it, and S3 lists what was written before.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib.bulk.rows import Range
from chalicelib.errors import ObjectNotFound, ServingError
from chalicelib.named_tuple import NamedTuple
from chalicelib.store.object_store import ObjectStore, translated_errors

if TYPE_CHECKING:
    from obstore import ObjectMeta

OUTBOX = "outbox"
PLAN, SUCCESS, FAILED, RUNS = "_plan.json", "_SUCCESS", "_FAILED", "_runs"
SPLIT, DONE, FAILURES, TRIES = "split.json", "done", "failed", "tries"
PART = re.compile(r"part-(\d{5})\.csv")
MARKER = re.compile(r"(\d{5})\.rows-(\d+)\.rejected-(\d+)")
MAX_LISTED_RANGES = 100

# A listing of so many markers, the last ones, tells whether there may be others to wait for.
_PAGE = 1000
_PIECE_BYTES = 16 * 1024 * 1024  # of an upload


class Plan(NamedTuple):
    """What all ranges of a file share, as the first message of its run found it."""

    run: str  # the version of the file
    version: str  # of the model
    model: str  # the path of that version in the store
    begun: str  # ISO 8601, UTC


class Split(NamedTuple):
    """How a file is split."""

    header: str  # the first row of CSV, with its line end; empty for JSON Lines
    skip: int  # bytes before the first row, of the text of a compressed file
    columns: list[str]  # of the parts
    ranges: list[Range]
    range_bytes: int = 0  # of each but the last, at least


class Done(NamedTuple):
    """A range that is scored."""

    number: int
    rows: int
    rejected: int
    at: datetime


class Outbox:
    """The objects of one file.

    Parameters
    ----------
    store : ObjectStore
        The store of the models, which has the outbox too.
    file : str
        The file's name below the inbox.
    """

    def __init__(self, store: ObjectStore, file: str) -> None:
        self.file = file
        self._store = store
        self._folder = f"{OUTBOX}/{file}"

    def claim(self, plan: Plan) -> Plan:
        """Return the plan of a run: this one, or that of who was first.

        The plan of another run is replaced, after its `_SUCCESS` and `_FAILED` are deleted.
        """
        data = _to_json(plan._asdict())
        mode: Any = "create"
        while not self._put_if(PLAN, data, mode):
            other, etag = self._fetch_plan()
            if other.run == plan.run:
                return other
            for name in (SUCCESS, FAILED):
                self._delete(name)
            mode = {"e_tag": etag}
        return plan

    def fetch_plan(self) -> Plan:
        """Return the plan; raises `StoreError` if there is none."""
        return self._fetch_plan()[0]

    def put_split(self, run: str, split: Split, step: int | None = None) -> Split:
        """Write how a file is split, and return it; if it was written before, return that.

        With `step`, what the functions up to this step found.
        """
        name = f"{RUNS}/{run}/{_split_name(step)}"
        is_first = self._put_if(name, json.dumps(split._asdict()).encode(), "create")
        return split if is_first else self.fetch_split(run, step)

    def find_split(self, run: str, step: int | None = None) -> Split | None:
        """Return how a file is split; None if that is not written."""
        with suppress(ObjectNotFound):
            return self.fetch_split(run, step)
        return None

    def fetch_split(self, run: str, step: int | None = None) -> Split:
        """Return how a file is split; raises `StoreError` if that is not written."""
        document = json.loads(self._fetch(f"{RUNS}/{run}/{_split_name(step)}"))
        document["ranges"] = [Range(*item) for item in document["ranges"]]
        return Split(**document)

    def put_part(self, number: int, lines: Iterable[bytes]) -> None:
        """Write a part whole, or not at all if the lines end with an exception.

        A long one is sent in pieces; those of a part that does not become whole are removed by the
        bucket's rule for incomplete uploads.
        """
        import obstore

        name = f"part-{number:05d}.csv"
        path = f"{self._folder}/{name}"
        with self._translated(name, "s3:PutObject"):
            writer = obstore.open_writer(self._store.opened, path, buffer_size=_PIECE_BYTES)
            for text in lines:
                writer.write(text)
            writer.close()

    def mark_done(self, run: str, number: int, rows: int, rejected: int) -> None:
        """Write that a range is scored."""
        self._put(f"{RUNS}/{run}/{DONE}/{number:05d}.rows-{rows}.rejected-{rejected}", b"")

    def is_done(self, run: str, number: int) -> bool:
        """Return whether a range is scored."""
        folder = f"{RUNS}/{run}/{DONE}"
        return next((d.number == number for d in self._list_done(folder, number)), False)

    def finish(self, plan: Plan, split: Split) -> bool:
        """Write `_SUCCESS` if all ranges are scored, and return whether they are.

        The last of those that score ranges finds all markers. Several may: they write the same.
        """
        folder, count = f"{RUNS}/{plan.run}/{DONE}", len(split.ranges)
        last = max(0, count - _PAGE)
        if len({item.number for item in self._list_done(folder, last)}) < count - last:
            return False
        by_number = {item.number: item for item in self._list_done(folder, 0)}
        if len(by_number) < count:
            return False
        done = by_number.values()
        self._delete_leftovers(count)
        begun, ended = datetime.fromisoformat(plan.begun), max(item.at for item in done)
        result = {
            "file": self.file,
            "rows": sum(item.rows for item in done),
            "rejected": sum(item.rejected for item in done),
            "version": plan.version,
            "seconds": max(0, round((ended - begun).total_seconds())),
            "parts": count,
            "columns": split.columns,
        }
        self._put(SUCCESS, _to_json(result))
        return True

    def put_try(self, run: str, name: str, receive: int, error: Exception) -> None:
        """Write why a try failed."""
        text = str(error) if isinstance(error, ServingError) else type(error).__name__
        self._put(f"{RUNS}/{run}/{TRIES}/{name}-{receive}.txt", text.encode())

    def read_tries(self, run: str, name: str, count: int) -> list[str]:
        """Return why each of some tries failed."""
        folder = f"{RUNS}/{run}/{TRIES}"
        written = {path for path, _ in self._list(folder, f"{name}-")}
        return [
            self._fetch(path).decode()
            if (path := f"{folder}/{name}-{receive}.txt") in written
            else "The function was stopped: it crashed, or ran out of memory or time."
            for receive in range(1, count + 1)
        ]

    def fail_range(self, plan: Plan, number: int, item: Range, reasons: list[str]) -> None:
        """Write that a range cannot be scored, and `_FAILED` with all such ranges."""
        folder = f"{RUNS}/{plan.run}/{FAILURES}"
        failure = {"range": number, **item._asdict(), "reasons": reasons}
        self._put(f"{folder}/{number:05d}.json", json.dumps(failure).encode())
        paths = [path for path, _ in self._list(folder)]
        ranges = [json.loads(self._fetch(path)) for path in paths[:MAX_LISTED_RANGES]]
        plural = "A range" if len(paths) == 1 else f"{len(paths):,} ranges"
        self.fail(f"{plural} could not be scored.", version=plan.version, ranges=ranges)

    def fail(self, message: str, **fields: object) -> None:
        """Write `_FAILED`."""
        self._put(FAILED, _to_json({"file": self.file, "error": message, **fields}))

    def _fetch_plan(self) -> tuple[Plan, str]:
        stored = self._store.fetch(f"{self._folder}/{PLAN}")
        assert stored is not None  # None only if an etag is passed
        return Plan(**json.loads(stored.data)), stored.etag

    def _fetch(self, name: str) -> bytes:
        stored = self._store.fetch(f"{self._folder}/{name}")
        assert stored is not None  # None only if an etag is passed
        return stored.data

    def _delete_leftovers(self, count: int) -> None:
        """Delete `_FAILED`, and the parts of an earlier version of the file with more ranges."""
        import obstore

        with self._translated("", "s3:ListBucket"):
            items = obstore.list_with_delimiter(self._store.opened, self._folder)["objects"]
        for item in items:
            name = item["path"].rpartition("/")[2]
            match = PART.fullmatch(name)
            if name == FAILED or (match and int(match[1]) >= count):
                self._delete(name)

    def _list_done(self, folder: str, first: int) -> Iterator[Done]:
        """Yield the markers of the ranges from a number on, in order."""
        for path, item in self._list(folder, f"{first:05d}"):
            match = MARKER.fullmatch(path.rpartition("/")[2])
            if match:
                number, rows, rejected = map(int, match.groups())
                yield Done(number, rows, rejected, item["last_modified"])

    def _list(self, folder: str, after: str = "") -> Iterator[tuple[str, ObjectMeta]]:
        """Yield the objects below a folder, the names after one only."""
        import obstore

        root = f"{self._folder}/{folder}"
        offset = f"{root}/{after}" if after else None
        with self._translated(folder, "s3:ListBucket"):
            pages = obstore.list(self._store.opened, root, offset=offset, chunk_size=_PAGE)
            for item in itertools.chain.from_iterable(pages):
                yield item["path"].removeprefix(f"{self._folder}/"), item

    def _put(self, name: str, data: bytes) -> None:
        import obstore

        with self._translated(name, "s3:PutObject"):
            obstore.put(self._store.opened, f"{self._folder}/{name}", data, use_multipart=False)

    def _put_if(self, name: str, data: bytes, mode: Any) -> bool:
        """Create an object, or replace the one of an ETag; return False if there is another."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        path = f"{self._folder}/{name}"
        with self._translated(name, "s3:PutObject"):
            try:
                obstore.put(self._store.opened, path, data, mode=mode, use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return False
        return True

    def _delete(self, name: str) -> None:
        import obstore

        with self._translated(name, "s3:DeleteObject"):
            obstore.delete(self._store.opened, f"{self._folder}/{name}")

    def _translated(self, name: str, needs: str) -> Any:
        return translated_errors(f"{self._store.url}/{self._folder}/{name}", needs)


def _split_name(step: int | None) -> str:
    return SPLIT if step is None else f"split-{step:05d}.json"


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _to_json(document: dict[str, object]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
