"""Wait for a condition."""

from __future__ import annotations

import time
from collections.abc import Callable

_PAUSE = 0.005  # seconds, in which other processes run


def wait_until(condition: Callable[[], bool], failure: str, seconds: float = 20) -> float:
    """Poll until a condition holds, and return the seconds that it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, failure
        time.sleep(_PAUSE)
    return time.monotonic() - start
