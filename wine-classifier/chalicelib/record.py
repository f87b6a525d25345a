"""What is known of the request that a thread handles, for its line in the log."""

from __future__ import annotations

import threading
from time import perf_counter
from typing import Any


class RequestRecord:
    """What happened in one request; it is read when the response is built.

    Parameters
    ----------
    request_id : str
        The id of the call of the function; the response has it too.
    """

    __slots__ = ("observed", "parsed", "predicted", "problem_kinds", "request_id", "started")

    def __init__(self, request_id: str = "") -> None:
        self.request_id = request_id
        self.started = perf_counter()
        # When the samples were parsed, and when the model had classified them.
        self.parsed = self.predicted = 0.0
        # Samples, prediction and manifest. Their types are of layers above.
        self.observed: tuple[Any, Any, Any] | None = None
        self.problem_kinds: list[str] = []


class _Current(threading.local):
    def __init__(self) -> None:
        self.record = RequestRecord()


_current = _Current()


def begin_record(request_id: str) -> RequestRecord:
    """Begin the record of the request that this thread handles from now on."""
    _current.record = record = RequestRecord(request_id)
    return record


def current_record() -> RequestRecord:
    """Return the record of the request that this thread handles."""
    return _current.record
