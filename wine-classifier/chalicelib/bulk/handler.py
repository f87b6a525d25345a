"""One message of the queue: from S3, that a file is in the inbox; or from here, a range."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote_plus, urlsplit

from chalicelib.bulk.errors import FileProblem, FileReplaced, OutOfTime
from chalicelib.bulk.inbox import INBOX
from chalicelib.bulk.outbox import Outbox
from chalicelib.bulk.queue import Queue, QueueError
from chalicelib.bulk.settings import BulkSettings
from chalicelib.bulk.tasks import Worker
from chalicelib.bulk.versions import Versions
from chalicelib.log import log_event
from chalicelib.named_tuple import NamedTuple
from chalicelib.service import Service
from chalicelib.settings import Settings
from chalicelib.store.object_store import ObjectStore

TRIES = 3  # the queue lets a message be received once more, to write down that all failed
TIMEOUT_SECONDS = 60.0  # of one call to S3
RETRIES = 3
RETRY_SECONDS = 20  # until the next try, times the tries before
# Time that is kept to write down that there is no more.
RESERVE_SECONDS = 10.0
# Time that is kept to let another function go on with the splitting of a file.
HAND_ON_SECONDS = 40.0

_SPLIT = "split"  # the run of tries that do not know it


class GaveUp(Exception):
    """All tries failed: the message goes to the dead-letter queue."""


class Task(NamedTuple):
    """What a message asks for."""

    file: str
    run: str | None = None  # None: to split the file
    number: int = 0
    step: int = 0  # to go on with splitting, if it is not 0

    @property
    def name(self) -> str:
        """The name of its tries."""
        if self.step:
            return f"{_SPLIT}-{self.step}"
        return _SPLIT if self.run is None else f"{self.number:05d}"


class Handler:
    """Handles messages, one at a time.

    Parameters
    ----------
    settings : Settings
    bulk : BulkSettings
    """

    def __init__(self, settings: Settings, bulk: BulkSettings) -> None:
        self._store = ObjectStore(
            settings.model_url, timeout_seconds=TIMEOUT_SECONDS, retries=RETRIES
        )
        self._bucket, self._prefix = _location(settings.model_url)
        self._queue = Queue(bulk.queue_url)
        self._remaining: Callable[[], float] = lambda: float("inf")
        versions = Versions(self._store, settings)
        self._worker = Worker(
            self._store, versions, self._queue, bulk, self._check_time, self._is_late
        )

    def handle(self, record: dict[str, Any], remaining_ms: Callable[[], float]) -> None:
        """Handle a message of an event; raise what makes SQS send it again.

        Parameters
        ----------
        record : dict
            An item of the event's ``Records``.
        remaining_ms : callable
            Returns the milliseconds until Lambda stops the function.
        """
        self._remaining = remaining_ms
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        for task in self._read_tasks(record["body"]):
            if receives > TRIES:
                self._give_up(task)
                self._show_again(record, 0)  # the queue then makes it a dead letter
                raise GaveUp(task.name)
            try:
                self._run(task)
            except FileReplaced:
                log_event("file replaced", file=task.file)
            except FileProblem as error:
                self._reject(task, error)
            except Exception as error:
                self._record(task, receives, error)
                self._show_again(record, RETRY_SECONDS * receives)
                raise

    def _run(self, task: Task) -> None:
        if task.run is None or task.step:
            self._worker.split(task.file, task.run, task.step)
        else:
            self._worker.score(task.file, task.run, task.number)

    def _read_tasks(self, body: str) -> list[Task]:
        """Parse a message; those of S3 that name no file of the inbox have no task."""
        document = json.loads(body)
        if "run" in document:
            number, step = document.get("range", 0), document.get("step", 0)
            return [Task(document["file"], document["run"], number, step)]
        tasks = []
        for record in document.get("Records", []):  # S3 sends a test without them
            bucket = record["s3"]["bucket"]["name"]
            key = unquote_plus(record["s3"]["object"]["key"])
            folder = f"{self._prefix}{INBOX}/"
            name = key.removeprefix(folder)
            if bucket != self._bucket or name == key or not name or name.endswith("/"):
                continue
            if _is_path(name):
                tasks.append(Task(name))
            else:
                outbox = Outbox(self._store, f"_{quote(name, safe='')}")
                outbox.fail("The name of a file may hold no control characters, and no //, . or ..")
        return tasks

    def _check_time(self) -> None:
        if self._remaining() < RESERVE_SECONDS * 1000:
            raise OutOfTime

    def _is_late(self) -> bool:
        return self._remaining() < HAND_ON_SECONDS * 1000

    def _reject(self, task: Task, error: FileProblem) -> None:
        problems = [{"at": item.at, "problem": item.problem} for item in error.problems]
        fields = {"problems": problems} if problems else {}
        Outbox(self._store, task.file).fail(str(error), **fields)
        log_event("file rejected", file=task.file)

    def _record(self, task: Task, receives: int, error: Exception) -> None:
        """Write down why a try failed, if that can be written."""
        log_event("try failed", file=task.file, range=task.name, error=type(error).__name__)
        with suppress(Exception):
            Outbox(self._store, task.file).put_try(task.run or _SPLIT, task.name, receives, error)

    def _give_up(self, task: Task) -> None:
        outbox = Outbox(self._store, task.file)
        if task.run is None or task.step:
            reasons = outbox.read_tries(task.run or _SPLIT, task.name, TRIES)
            outbox.fail("The file could not be split.", reasons=reasons)
        else:
            with suppress(FileReplaced):
                self._worker.give_up(task.file, task.run, task.number, TRIES)
        log_event("gave up", file=task.file, range=task.name)

    def _show_again(self, record: dict[str, Any], seconds: int) -> None:
        """Let a message come again soon, not only after the visibility timeout."""
        with suppress(QueueError):
            self._queue.show_again(record["receiptHandle"], seconds)


_handlers: list[Handler] = []


def handle(event: dict[str, Any], context: Any, service: Service) -> None:
    """Handle the messages of an event of SQS; `context` is Lambda's."""
    if not _handlers:
        _handlers.append(Handler(service.settings, BulkSettings.from_environ(os.environ)))
    for record in event["Records"]:
        _handlers[0].handle(record, context.get_remaining_time_in_millis)


def _is_path(name: str) -> bool:
    """Return whether obstore takes a name as it is."""
    return name.isprintable() and not {"", ".", ".."} & set(name.split("/"))


def _location(url: str) -> tuple[str, str]:
    """Return the bucket of a store, and the begin of its keys."""
    parts = urlsplit(url)
    path = parts.path.strip("/")
    return parts.netloc, f"{path}/" if path else ""
