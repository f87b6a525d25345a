"""Split a file, and score a range of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from math import ceil

from chalicelib.bulk.errors import FileReplaced
from chalicelib.bulk.header import read_beginning
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
        Raises `chalicelib.bulk.errors.OutOfTime` if the function's time is over.
    is_late : callable
        Returns whether it is time to let another function go on.
    """

    def __init__(
        self,
        store: ObjectStore,
        versions: Versions,
        queue: Queue,
        settings: BulkSettings,
        check: Callable[[], None],
        is_late: Callable[[], bool],
    ) -> None:
        self._store = store
        self._versions = versions
        self._queue = queue
        self._settings = settings
        self._check = check
        self._is_late = is_late
        self._splits: dict[str, Split] = {}  # the last one

    def split(self, name: str, run: str | None = None, step: int = 0) -> None:
        """Split a file into ranges and send a message for each.

        A function whose time is nearly over writes the ranges that it found, and sends a message
        for the next step, which goes on after them. Raises `FileProblem` if the file is no table of
        the live model, `FileReplaced` if it is not that of the run.
        """
        find_format(name)
        file = InputFile(self._store, name)
        outbox = Outbox(self._store, name)
        live = self._versions.live() if run is None else None
        if live is None:
            plan = outbox.fetch_plan()
            if not file.run == plan.run == run:
                raise FileReplaced
        else:
            plan = outbox.claim(Plan(file.run, live.version, live.path, now()))
        split = outbox.find_split(plan.run)
        if split is None:
            split = self._find_split(file, outbox, plan, live, step)
        if split is None:
            self._queue.send([{"file": name, "run": plan.run, "step": step + 1}])
            log_event("splitting handed on", file=name, step=step + 1)
            return
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

    def _find_split(
        self, file: InputFile, outbox: Outbox, plan: Plan, live: Manifest | None, step: int
    ) -> Split | None:
        """Return how a file is split; None if the next step has to go on."""
        if outbox.find_split(plan.run, step):  # a message that is received again
            return None
        if step:
            split = outbox.fetch_split(plan.run, step - 1)
            last = split.ranges.pop()  # where the next one begins is not known yet
        else:
            # Another version, when a message is received again after a publication.
            if live is None or live.version != plan.version:
                live = self._versions.find(plan.version, plan.model)
            split, last = self._begin_split(file, live)
        known = len(split.ranges)
        for item in self._find_ranges(file, last, split.range_bytes):
            split.ranges.append(item)
            if self._is_late() and len(split.ranges) > known + 1:
                outbox.put_split(plan.run, split, step)
                return None
        return outbox.put_split(plan.run, split)

    def _begin_split(self, file: InputFile, manifest: Manifest) -> tuple[Split, Range]:
        """Return a split without ranges, and the rows of the file as one range."""
        beginning = read_beginning(file, manifest.signature)
        has_scores = self._settings.probabilities and manifest.signature.has_probabilities
        names = columns(manifest.signature.classes, probabilities=has_scores)
        if find_format(file.name).is_compressed:
            rows = Range(0, file.size, beginning.line)
            return Split(beginning.header, beginning.start, names, []), rows
        rows = Range(beginning.mark + beginning.start, file.size, beginning.line)
        size = self._range_bytes(beginning.row_bytes, manifest)
        size = max(size, ceil(file.size / MAX_RANGES))
        return Split(beginning.header, 0, names, [], size), rows

    def _range_bytes(self, row_bytes: float, manifest: Manifest) -> int:
        """Return the size of a range, smaller for a slow model."""
        size = self._settings.range_bytes
        if manifest.row_seconds:
            size = int(min(size, row_bytes * RANGE_SECONDS / manifest.row_seconds))
        return max(1, size)

    def _find_ranges(self, file: InputFile, first: Range, size: int) -> Iterator[Range]:
        """Yield the ranges from where one begins to the end of the file."""
        file_format = find_format(file.name)
        if file_format.is_compressed:
            return iter([first])
        chunk_bytes = max(_MIN_CHUNK_BYTES, min(CHUNK_BYTES, size))
        return find_ranges(
            self._checked(file.read(first.start, file.size, chunk_bytes)),
            file_format.kind,
            start=first.start,
            line=first.line,
            range_bytes=size,
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
