"""How fast and how large functions are on the Lambda runtime emulator.

In each run the functions are started one after the other, in another order each time and with a
rest before each, and stay alive: one that is not asked waits for its next event and takes no
processor, so it disturbs nobody else's start. Then all are asked in turns, round by round, so that
whatever else the machine is doing falls on all of them alike, and a run's ratios are fair.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks.packages import Package, Request
from benchmarks.results import Run
from deployment.emulator.function import Function

WARM_ROUNDS = 300
BATCH_REQUESTS = 5
REST_SECONDS = 1.5  # before each start: the machine has to get over the one before


class WarmRequest(NamedTuple):
    """A request that is measured warm.

    Parameters
    ----------
    name : str
        What it is reported as.
    package : str
        The name of the package that it is sent to.
    request : Request
    """

    name: str
    package: str
    request: Request


def measure(
    packages: Sequence[Package], asked: list[WarmRequest], environment: Mapping[str, str], runs: int
) -> list[Run]:
    """Start all packages, then ask them in turns; again in each run.

    Parameters
    ----------
    packages : sequence of Package
    asked : list of Asked
        What is measured warm.
    environment : mapping of str to str
        The functions' variables.
    runs : int
        How often each is started.

    Returns
    -------
    list of Run
    """
    return [_run(packages, asked, environment, random.Random(run)) for run in range(runs)]


def _run(
    packages: Sequence[Package],
    asked: list[WarmRequest],
    environment: Mapping[str, str],
    order: random.Random,
) -> Run:
    functions, cold = {}, {}
    with ExitStack() as alive:
        for package in order.sample(packages, len(packages)):
            time.sleep(REST_SECONDS)
            function = alive.enter_context(start(package, environment))
            cold[package.name] = seconds(make_sender(function, package.request))
            functions[package.name] = function
        warm = _in_turns(
            {one.name: make_sender(functions[one.package], one.request) for one in asked}, order
        )
        memory = {name: function.peak_memory_bytes for name, function in functions.items()}
    return Run(cold, warm, memory)


def _in_turns(askers: dict[str, Callable[[], None]], order: random.Random) -> dict[str, float]:
    """Give the median of each; who follows whom changes, as a heavy one empties the caches."""
    found: dict[str, list[float]] = {name: [] for name in askers}
    for _ in range(WARM_ROUNDS):
        for name in order.sample(list(askers), len(askers)):
            found[name].append(seconds(askers[name]))
    return {name: statistics.median(times) for name, times in found.items()}


def samples_per_second(
    package: Package,
    environment: Mapping[str, str],
    batches: Mapping[int, Request],
    runs: int,
) -> dict[int, list[float]]:
    """Measure how many samples a function classifies in a second, by the size of the batch.

    Parameters
    ----------
    package : Package
    environment : mapping of str to str
        The function's variables.
    batches : mapping of int to Request
        What is asked, by the samples in it.
    runs : int
        How often all are asked, in turns.

    Returns
    -------
    dict of int to list of float
        One value for each run.
    """
    found: dict[int, list[float]] = {size: [] for size in batches}
    with start(package, environment) as function:
        askers = {size: make_sender(function, request) for size, request in batches.items()}
        for call_estimator in askers.values():
            call_estimator()
        for _ in range(runs):
            for size, call_estimator in askers.items():
                times = [seconds(call_estimator) for _ in range(BATCH_REQUESTS)]
                found[size].append(size / statistics.median(times))
    return found


def start(package: Package, environment: Mapping[str, str]) -> Function:
    """Put a package on the emulator; its process starts with the first request.

    Parameters
    ----------
    package : Package
    environment : mapping of str to str

    Returns
    -------
    Function
    """
    return Function(package.code, {**environment, **package.variables}, package.handler)


def make_sender(function: Function, request: Request) -> Callable[[], None]:
    """Make a function that sends a request and checks that it is answered.

    Parameters
    ----------
    function : Function
    request : Request

    Returns
    -------
    callable
    """
    method = "GET" if request.body is None else "POST"

    def call_estimator() -> None:
        answer = function.request(method, request.path, request.body)
        assert answer.status == 200, answer

    return call_estimator


def seconds(call: Callable[[], object]) -> float:
    """Measure how long a call takes.

    Parameters
    ----------
    call : callable

    Returns
    -------
    float
    """
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
