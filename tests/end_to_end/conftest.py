"""Servers in processes of their own, as a user starts them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

import pytest

from tests.conftest import ROOT


class Server(NamedTuple):
    """A server that listens."""

    port: int
    printed: str


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def make(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Run make in the repository, in a process group of its own."""
    # A make that runs the tests must not pass its own variables on to this one.
    inherited = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    return subprocess.Popen(
        ["make", *arguments],
        cwd=ROOT,
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(output: IO[str], words: str) -> str:
    """Read a process's output up to the line that holds the words."""
    printed = ""
    for line in output:
        printed += line
        if words in line:
            return printed
    raise AssertionError(f"{words!r} was never printed:\n{printed}")


@pytest.fixture(scope="module")
def make_serve() -> Iterator[Callable[..., Server]]:
    """Start servers with `make serve`, which stop when the module's tests are done."""
    processes = []

    def start(*arguments: str, **environment: str) -> Server:
        port = free_port()
        process = make("serve", f"PORT={port}", *arguments, **environment)
        processes.append(process)
        assert process.stdout is not None
        return Server(port, read_until(process.stdout, "Serving on"))

    yield start
    for process in processes:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate()
