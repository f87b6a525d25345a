"""Split a file, and score a range of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from math import ceil

from chalicelib.bulk.errors import FileReplaced
from chalicelib.bulk.header import Beginning, read_beginning
from chalicelib.bulk.inbox import CHUNK_BYTES, InputFile, find_format
from chalicelib.bulk.outbox import Outbox, Plan, Split, now
from chalicelib.bulk.queue import Queue
from chalicelib.bulk.rows import Range, find_ranges
from chalicelib.bulk.scoring import Scorer, columns
from chalicelib.bulk.settings import BulkSettings
from chalicelib.bulk.versions import Versions
from chalicelib.log import log_event
from chalicelib.models.manifest import Manifest
from chalicelib.store.object_store import ObjectStore

MAX_RANGES = 10_000  # of a file; those of a larger file are longer
RANGE_SECONDS = 60.0  # of the model's time for a range; a function has five minutes
SCORED_BYTES = 1024 * 1024  # rows that are scored at once
_MIN_CHUNK_BYTES = 1024


class Worker:
    """Does what messages ask for; one for each process.

    Parameters
    ----------
    store : ObjectStore
        The models, the inbox and the outbox.
    versions : Versions
    queue : Queue
    settings : BulkSettings
    check : callable
        Raises `chalicelib.bulk.errors.OutOfTime` if the function's time is nearly over.
    """

    def __init__(
        self,
        store: ObjectStore,
        versions: Versions,
        queue: Queue,
        settings: BulkSettings,
        check: Callable[[], None],
    ) -> None:
        self._store = store
        self._versions = versions
        self._queue = queue
        self._settings = settings
        self._check = check
        self._splits: dict[str, Split] = {}  # the last one

    def split(self, name: str) -> None:
        """Split a file into ranges and send a message for each.

        Raises `FileProblem` if the file is no table of the live model.
        """
        find_format(name)
        file = InputFile(self._store, name)
        outbox = Outbox(self._store, name)
        live = self._versions.live()
        plan = outbox.claim(Plan(file.run, live.version, live.path, now()))
        manifest = live
        if plan.version != live.version:  # a message that is received again, after a publication
            manifest = self._versions.find(plan.version, plan.model)
        split = outbox.put_split(file.run, self._find_split(file, manifest))
        self._queue.send(
            [
                {"file": name, "run": file.run, "range": number}
                for number in range(len(split.ranges))
            ]
        )
        log_event("file split", file=name, ranges=len(split.ranges), version=plan.version)

    def score(self, name: str, run: str, number: int) -> None:
        """Score a range, unless that is done or the file is another now."""
        outbox = Outbox(self._store, name)
        plan = outbox.fetch_plan()
        if plan.run != run:
            raise FileReplaced
        split = self._fetch_split(outbox, run)
        if not outbox.is_done(run, number):
            self._score(outbox, plan, split, number)
        if outbox.finish(plan, split):
            log_event("file scored", file=name, version=plan.version)

    def give_up(self, name: str, run: str, number: int, receives: int) -> None:
        """Write that a range cannot be scored, and why."""
        outbox = Outbox(self._store, name)
        plan = outbox.fetch_plan()
        if plan.run != run:
            raise FileReplaced
        reasons = outbox.read_tries(run, f"{number:05d}", receives)
        ranges = self._fetch_split(outbox, run).ranges
        outbox.fail_range(plan, number, ranges[number], reasons)

    def _find_split(self, file: InputFile, manifest: Manifest) -> Split:
        beginning = read_beginning(file, manifest.signature)
        has_scores = self._settings.probabilities and manifest.signature.has_probabilities
        names = columns(manifest.signature.classes, probabilities=has_scores)
        if find_format(file.name).is_compressed:
            ranges = [Range(0, file.size, beginning.line)]
            return Split(beginning.header, beginning.start, names, ranges)
        size = self._range_bytes(beginning.row_bytes, manifest)
        ranges = self._find_ranges(file, beginning, max(size, ceil(file.size / MAX_RANGES)))
        return Split(beginning.header, 0, names, ranges)

    def _range_bytes(self, row_bytes: float, manifest: Manifest) -> int:
        """Return the size of a range, smaller for a slow model."""
        size = self._settings.range_bytes
        if manifest.row_seconds:
            size = int(min(size, row_bytes * RANGE_SECONDS / manifest.row_seconds))
        return max(1, size)

    def _find_ranges(self, file: InputFile, beginning: Beginning, size: int) -> list[Range]:
        start = beginning.mark + beginning.start
        chunk_bytes = max(_MIN_CHUNK_BYTES, min(CHUNK_BYTES, size))
        return list(
            find_ranges(
                self._checked(file.read(start, file.size, chunk_bytes)),
                find_format(file.name).kind,
                start=start,
                line=beginning.line,
                range_bytes=size,
            )
        )

    def _checked(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._check()
            yield chunk

    def _score(self, outbox: Outbox, plan: Plan, split: Split, number: int) -> None:
        started = time.monotonic()
        file = InputFile(self._store, outbox.file)
        if file.run != plan.run:
            raise FileReplaced
        file_format = find_format(file.name)
        model = self._versions.load(plan.version, plan.model)
        has_scores = len(split.columns) > len(columns([], probabilities=False))
        scorer = Scorer(
            model, file_format.kind, split.header, self._check, probabilities=has_scores
        )
        item = split.ranges[number]
        text = file.read_text(item.start, item.end, SCORED_BYTES)
        next(text)  # the byte order mark
        lines = scorer.score(_skip(text, split.skip))
        outbox.put_part(number, self._unless_replaced(lines, outbox, plan))
        outbox.mark_done(plan.run, number, scorer.rows, scorer.rejected)
        log_event(
            "range scored",
            file=file.name,
            range=number,
            rows=scorer.rows,
            rejected=scorer.rejected,
            seconds=round(time.monotonic() - started, 3),
            version=plan.version,
        )

    def _unless_replaced(
        self, lines: Iterator[bytes], outbox: Outbox, plan: Plan
    ) -> Iterator[bytes]:
        """Yield the lines of a part; at their end, raise `FileReplaced` if the file was."""
        yield from lines
        if outbox.fetch_plan().run != plan.run:
            raise FileReplaced

    def _fetch_split(self, outbox: Outbox, run: str) -> Split:
        key = f"{outbox.file}/{run}"
        if key not in self._splits:
            self._splits = {key: outbox.fetch_split(run)}
        return self._splits[key]


def _skip(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Yield chunks without the first bytes."""
    for chunk in chunks:
        yield chunk[count:]
        count = max(0, count - len(chunk))
