"""How fast and how large a function is on the Lambda runtime emulator."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from benchmarks.packages import Package
from shipping.emulator import Function

WARM_REQUESTS = 200
BATCH_REQUESTS = 15
REST_SECONDS = 1.5  # before each start: the machine has to get over the one before


class Measured(NamedTuple):
    """What was measured, one value for each run.

    Parameters
    ----------
    cold, warm : list of float
        Seconds: of the first request, and of later ones (their median).
    memory : list of int
        Bytes: the most that the process had resident.
    """

    cold: list[float]
    warm: list[float]
    memory: list[int]


def measure(
    packages: list[Package], environment: Mapping[str, str], runs: int
) -> dict[str, Measured]:
    """Measure packages in turns, each run in another order, so that none always follows a slow one.

    Parameters
    ----------
    packages : list of Package
    environment : mapping of str to str
        The functions' variables.
    runs : int
        How often each is started.

    Returns
    -------
    dict of str to Measured
    """
    measured = {package.name: Measured([], [], []) for package in packages}
    for run in range(runs):
        for package in random.Random(run).sample(packages, len(packages)):  # noqa: S311
            time.sleep(REST_SECONDS)
            with Function(package.code, environment, package.handler) as function:
                ask = asker(function, package.path, package.body)
                found = measured[package.name]
                found.cold.append(seconds(ask))
                found.warm.append(statistics.median(seconds(ask) for _ in range(WARM_REQUESTS)))
                found.memory.append(function.peak_memory_bytes)
    return measured


def samples_per_second(
    package: Package, environment: Mapping[str, str], sizes: list[int], sample: list[float]
) -> dict[int, float]:
    """Measure how many samples a function classifies in a second, by the size of the batch.

    Parameters
    ----------
    package : Package
    environment : mapping of str to str
        The function's variables.
    sizes : list of int
        Samples in a request.
    sample : list of float

    Returns
    -------
    dict of int to float
    """
    found = {}
    with Function(package.code, environment, package.handler) as function:
        for size in sizes:
            ask = asker(function, package.path, {"data": [sample] * size})
            ask()
            found[size] = size / statistics.median(seconds(ask) for _ in range(BATCH_REQUESTS))
    return found


def asker(function: Function, path: str, body: object) -> Callable[[], None]:
    """Make a function that sends a request and checks that it is answered.

    Parameters
    ----------
    function : Function
    path : str
    body : object

    Returns
    -------
    callable
    """
    method = "GET" if body is None else "POST"

    def ask() -> None:
        answer = function.request(method, path, body)
        assert answer.status == 200, answer

    return ask


def seconds(call: Callable[[], None]) -> float:
    """Measure how long a call takes.

    Parameters
    ----------
    call : callable

    Returns
    -------
    float
    """
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
