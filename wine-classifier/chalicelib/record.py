"""What is known of the request that a thread handles, for its line in the log."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from time import perf_counter
from typing import Any

# Samples, prediction and manifest of a request; their types are of layers above.
Observed = tuple[Any, Any, Any]


class RequestRecord:
    """What happened in one request; it is read when the response is built.

    Parameters
    ----------
    request_id : str
        The id of the call of the function; the response has it too.
    """

    method = route = ""  # one of the app's routes; empty if the event is no request
    status = 500  # unless there is a response
    kind: str | None = None  # why the request is rejected
    problem_kinds: Sequence[str] = ()
    # When the samples were parsed, and when the model had classified them.
    parsed = predicted = 0.0
    observed: Observed | None = None

    def __init__(self, request_id: str = "") -> None:
        self.request_id = request_id
        self.started = perf_counter()


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
