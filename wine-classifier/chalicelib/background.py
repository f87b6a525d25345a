"""Run a function beside the caller: `concurrent.futures` takes longer to import."""

from __future__ import annotations

import threading

TYPE_CHECKING = False  # of typing, which takes long to import: see chalicelib/cold_start.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Background:
    """A call of a function in a thread of its own, which does not keep the process alive."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._result: list[Any] = []
        self._error: Exception | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def wait(self, timeout_seconds: float | None = None) -> Any:
        """Return the result, or raise what the function raised; `TimeoutError` if it takes longer.

        Sockets have a time limit for each step only, and the look-up of a host name has none.
        """
        if not self._ended.wait(timeout_seconds):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._result[0]

    def _run(self) -> None:
        try:
            self._result.append(self._function())
        except Exception as error:  # of any kind: the caller gets it
            self._error = error
        finally:
            self._ended.set()
