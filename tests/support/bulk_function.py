"""The function that scores files, on the Lambda emulator, watched through the log of S3."""

from __future__ import annotations

import http.client
import logging
import random
import re
import threading
from pathlib import Path
from typing import Any

from deployment.emulator.function import Function
from tests.support.bulk import Stack

_CALL = re.compile(r'"(GET|HEAD|PUT|POST|DELETE) /(\S*)')


class FunctionFailed(Exception):
    """The function raised an error, or was killed."""


class WatchedFunction(logging.Handler):
    """The function, which is killed in the middle of some of its invocations.

    A handler of the log of moto's server, in this process: it sees each call as it is answered.

    Parameters
    ----------
    code : Path
        The unpacked package.
    stack : Stack
    environment : dict of str to str
        The function's variables.
    rng : random.Random
        Chooses the call after which the function is killed.
    killed : int, default=0
        One invocation in so many is killed; 0 for none. If one ends before it is, the next one is.
    """

    def __init__(
        self,
        code: Path,
        stack: Stack,
        environment: dict[str, str],
        rng: random.Random,
        killed: int = 0,
    ) -> None:
        super().__init__(logging.INFO)
        self.calls: list[tuple[str, str]] = []
        self.invocations = self.kills = 0
        self._code = code
        self._environment = {**stack.variables, **environment}
        self._rng = rng
        self._one_in = killed
        self._function: Function | None = None
        self._due = 0  # kills
        self._calls_left = 0  # until it is killed; 0 if it is not
        self._is_running = False
        self._lock_calls = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Note a call, and kill the function if it is time."""
        match = _CALL.search(record.getMessage())
        with self._lock_calls:
            if match is None or not self._is_running:
                return
            self.calls.append((match[1], match[2]))
            self._calls_left -= 1
            if self._calls_left == 0 and self._function is not None:
                self._is_running = False
                self.kills += 1
                self._due -= 1
                self._function.stop()

    def invoke(self, event: dict[str, Any]) -> None:
        """Call the function; raise `FunctionFailed` if it fails or is killed."""
        self.invocations += 1
        if self._function is None:
            self._function = Function(self._code, self._environment, handler="app.score")
        if self._one_in and self.invocations % self._one_in == 0:
            self._due += 1
        with self._lock_calls:
            self._calls_left = self._rng.randint(1, 10) if self._due else -1
            self._is_running = True
        try:
            result = self._function.invoke(event)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._function = None
            raise FunctionFailed from error
        finally:
            with self._lock_calls:
                self._is_running = False
        if result is not None:
            raise FunctionFailed(result)

    def __enter__(self) -> WatchedFunction:
        log = logging.getLogger("werkzeug")
        self._level = log.level
        log.setLevel(logging.INFO)
        log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        log = logging.getLogger("werkzeug")
        log.removeHandler(self)
        log.setLevel(self._level)
        if self._function is not None:
            self._function.stop()
