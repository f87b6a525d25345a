"""A check of the store beside the requests."""

from __future__ import annotations

import threading
from collections.abc import Callable

from chalicelib.store.freezes import FreezeDetector


class Check:
    """A check of the store for a newer model, in a thread of its own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.started = clock()
        self.freezes = FreezeDetector(clock)
        self.ended = threading.Event()
        self._waits = 0

    def claim_wait(self) -> bool:
        """Return whether a request may wait for the end: one, and after each freeze one more."""
        is_free = self._waits <= self.freezes.count()
        self._waits += is_free
        return is_free


def start_thread(target: Callable[[], None]) -> None:
    """Run a function in a thread that does not keep the process from exiting."""
    threading.Thread(target=target, daemon=True).start()
