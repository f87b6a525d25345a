"""Functions that run beside the caller."""

from __future__ import annotations

import threading

import pytest

from chalicelib.background import Background


def test_returns_the_result() -> None:
    """The function runs in another thread, and its result is returned."""
    assert Background(threading.current_thread).wait() is not threading.current_thread()


def test_raises_what_the_function_raised() -> None:
    """An error is raised where the result is needed."""
    background = Background(lambda: int("two"))
    with pytest.raises(ValueError, match="two"):
        background.wait()


def test_stops_waiting_in_time() -> None:
    """A wait has a time limit, after which the result is still there."""
    is_over = threading.Event()
    background = Background(is_over.wait)
    with pytest.raises(TimeoutError):
        background.wait(0.01)
    is_over.set()
    assert background.wait() is True


def test_does_not_keep_the_process_alive() -> None:
    """The interpreter exits without waiting for it."""
    is_over = threading.Event()
    names = {thread.name for thread in threading.enumerate()}
    background = Background(is_over.wait)
    assert all(t.daemon for t in threading.enumerate() if t.name not in names)
    is_over.set()
    background.wait()
