"""Subprocesses that run ``make``, as a user does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.paths import ROOT


def environment_outside_make() -> dict[str, str]:
    """Return the environment without what a `make` that runs the tests passes on."""
    return {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


class Process:
    """A make in its own process group, whose output is collected."""

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
        self._reader = threading.Thread(target=self._read)
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
        """Terminate the process group."""
        if self._popen.poll() is None:
            os.killpg(self._popen.pid, signal.SIGTERM)
        self.wait()
        assert self._popen.stdout is not None
        self._popen.stdout.close()

    @property
    def printed(self) -> str:
        """The output without the lines of make itself."""
        return "".join(line for line in self.lines if not line.startswith("make"))


class Server(Process):
    """A server that ``make serve`` starts, once it is ready."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.port = free_port()
        super().__init__("serve", f"PORT={self.port}", *arguments, **environment)
        self.wait_for("Serving on")


def free_port() -> int:
    """Return a port on which no process listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


StartServer = Callable[..., Server]
