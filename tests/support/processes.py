"""``make`` in processes, as a user starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable

from tests.support.paths import ROOT


class Process:
    """A process that runs make, in a process group of its own, and all that it has printed."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        # A make that runs the tests must not pass its own variables on to this one.
        inherited = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
        self._popen = subprocess.Popen(
            ["make", *arguments],
            cwd=ROOT,
            env=inherited | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait_for(self, words: str, timeout: float = 60) -> None:
        """Wait until a line with these words is printed."""
        with self._news:
            found = self._news.wait_for(
                lambda: self._ended or any(words in line for line in self.lines), timeout
            )
        assert found, f"{words!r} was not printed in time:\n{self.printed}"
        assert any(words in line for line in self.lines), self.printed

    def wait(self, timeout: float = 60) -> int:
        """Wait for its end and give its exit code."""
        code = self._popen.wait(timeout)
        self._reader.join()
        return code

    def stop(self) -> None:
        """End it and all that it has started."""
        if self._popen.poll() is None:
            os.killpg(self._popen.pid, signal.SIGTERM)
        self.wait()
        assert self._popen.stdout is not None
        self._popen.stdout.close()

    @property
    def printed(self) -> str:
        """All that it has printed, but for what make says of itself."""
        return "".join(line for line in self.lines if not line.startswith("make"))


class Server(Process):
    """A server that `make serve` starts."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.port = free_port()
        super().__init__("serve", f"PORT={self.port}", *arguments, **environment)
        self.wait_for("Serving on")


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


StartServer = Callable[..., Server]
