"""Detect freezes of the process: Lambda freezes a function between two requests."""

from __future__ import annotations

import threading
from collections.abc import Callable

# A thread that wakes up this late was not delayed by other work: the process stood still.
TICK_SECONDS = 0.1
FREEZE_SECONDS = 0.5


class FreezeDetector:
    """Counts the freezes while a block runs: a thread in it ticks, and a freeze delays a tick.

    Parameters
    ----------
    clock : callable
        Returns monotonic seconds, which pass during a freeze too.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last_tick = clock()
        self._freezes = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def count(self) -> int:
        """Return the number of freezes up to now."""
        with self._lock:
            now = self._clock()
            if now - self._last_tick >= FREEZE_SECONDS:
                self._freezes += 1
            self._last_tick = now
            return self._freezes

    def __enter__(self) -> FreezeDetector:
        threading.Thread(target=self._tick, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _tick(self) -> None:
        while not self._ended.wait(TICK_SECONDS):
            self.count()
