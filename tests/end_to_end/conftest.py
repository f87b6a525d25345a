"""Fixtures that start make and servers as a user does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.processes import Process, Server, StartServer


@pytest.fixture(scope="module")
def start_server() -> Iterator[StartServer]:
    """Return a function that starts a server, which stops after the module's tests."""
    servers = []

    def start(*arguments: str, **environment: str) -> Server:
        servers.append(Server(*arguments, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def run_make() -> Iterator[Callable[..., Process]]:
    """Return a function that runs make to its end."""
    processes = []

    def run(*arguments: str, **environment: str) -> Process:
        processes.append(Process(*arguments, **environment))
        processes[-1].wait()
        return processes[-1]

    yield run
    for process in processes:
        process.stop()
