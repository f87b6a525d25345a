"""Subprocesses that run ``make``, as a user does."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from tests.support.paths import ROOT

START_SECONDS = 100  # the first server of a checkout trains the wine model
STOP_SECONDS = 20  # to end after a SIGTERM
PORTS = range(20_000, 32_000)  # Linux takes those of connections from 32,768 on


def environment_outside_make() -> dict[str, str]:
    """Return the environment without what a `make` that runs the tests passes on."""
    return {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


class Process:
    """A make in its own process group, whose output is collected; as a context, it is stopped."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._popen = subprocess.Popen(
            ["make", *arguments],
            cwd=ROOT,
            env=environment_outside_make() | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._output_changed = threading.Condition()
        self._ended = False
        # A daemon, so that a process that outlives its test cannot keep pytest from ending.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            with self._output_changed:
                self.lines.append(line)
                self._output_changed.notify_all()
        with self._output_changed:
            self._ended = True
            self._output_changed.notify_all()

    def wait_for(self, text: str, timeout: float = 60) -> None:
        """Wait until a line with the text is printed."""
        with self._output_changed:
            in_time = self._output_changed.wait_for(
                lambda: self._ended or any(text in line for line in self.lines), timeout
            )
        assert in_time, f"{text!r} was not printed in time:\n{self.printed}"
        assert any(text in line for line in self.lines), self.printed

    def wait(self, timeout: float = 60) -> int:
        """Wait for the end of the process and return its exit code."""
        code = self._popen.wait(timeout)
        self._reader.join()
        return code

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the process group for a block, as Lambda does between two requests."""
        os.killpg(self._popen.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._popen.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Terminate the process group; kill it if its output stays open."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, number)
            self._reader.join(STOP_SECONDS)
            if not self._reader.is_alive():
                break
        self._popen.wait()
        assert self._popen.stdout is not None
        self._popen.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def printed(self) -> str:
        """The output without the lines of make itself."""
        return "".join(line for line in self.lines if not line.startswith("make"))


class Server(Process):
    """A server that ``make serve`` starts, once it is ready."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.port = free_port()
        super().__init__("serve", f"PORT={self.port}", *arguments, **environment)
        try:
            self.wait_for("Serving on", START_SECONDS)
        except BaseException:
            self.stop()
            raise


def free_port() -> int:
    """Return a port on which no process listens."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


StartServer = Callable[..., Server]
