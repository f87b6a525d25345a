"""Servers in processes of their own, as a user starts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.processes import Process, Server, StartServer


@pytest.fixture(scope="module")
def start_server() -> Iterator[StartServer]:
    """Start servers, which stop when the module's tests are done."""
    servers = []

    def start(*arguments: str, **environment: str) -> Server:
        servers.append(Server(*arguments, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def run_make() -> Iterator[Callable[..., Process]]:
    """Run make to its end."""
    processes = []

    def run(*arguments: str, **environment: str) -> Process:
        processes.append(Process(*arguments, **environment))
        processes[-1].wait()
        return processes[-1]

    yield run
    for process in processes:
        process.stop()
