"""Measure the speed and the memory of functions on the Lambda runtime emulator.

Each run starts the functions one after the other, in random order and with a rest before each, and
keeps them alive: an idle one waits for its next event without using the processor, so it does not
disturb the next start. Then it sends the warm requests in turns, round by round, so that load from
other processes falls on all functions alike and the ratios of a run are fair. A warm request takes
what the emulator reports as its duration, as Lambda bills it; a cold start what its client waits.
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
REST_SECONDS = 1.5  # before each start, for the machine to settle


class WarmRequest(NamedTuple):
    """A request that is measured warm."""

    name: str  # in the report
    package: str  # the name of the package that receives it
    request: Request


def measure(
    packages: Sequence[Package],
    warm_requests: Sequence[WarmRequest],
    environment: Mapping[str, str],
    runs: int,
) -> list[Run]:
    """Measure cold starts, warm requests and peak memory of all packages in each run."""
    return [_run(packages, warm_requests, environment, random.Random(run)) for run in range(runs)]


def _run(
    packages: Sequence[Package],
    warm_requests: Sequence[WarmRequest],
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
        warm, wall_clock = _measure_warm(warm_requests, functions, order)
        memory = {name: function.peak_memory_bytes for name, function in functions.items()}
    return Run(cold, warm, wall_clock, memory)


def _measure_warm(
    warm_requests: Sequence[WarmRequest], functions: Mapping[str, Function], order: random.Random
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the median seconds of each request: as the emulator reports them, and to its client.

    Requests are in random order in each round, as a heavy one empties the caches.
    """
    senders = {
        warm.name: make_sender(functions[warm.package], warm.request) for warm in warm_requests
    }
    wall_clock: dict[str, list[float]] = {name: [] for name in senders}
    reported: dict[str, list[float]] = {name: [] for name in senders}
    sent: dict[str, list[str]] = {package: [] for package in functions}
    for _ in range(WARM_ROUNDS):
        for warm in order.sample(warm_requests, len(warm_requests)):
            wall_clock[warm.name].append(seconds(senders[warm.name]))
            sent[warm.package].append(warm.name)
    for package, names in sent.items():
        [_cold, *durations] = functions[package].wait_for_durations(1 + len(names))
        for name, duration in zip(names, durations, strict=True):
            reported[name].append(duration)
    return _medians(reported), _medians(wall_clock)


def _medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in times.items()}


def samples_per_second(
    package: Package,
    environment: Mapping[str, str],
    batches: Mapping[int, Request],
    runs: int,
) -> dict[int, list[float]]:
    """Return a function's throughput in each run, by the number of samples in a request."""
    rates: dict[int, list[float]] = {size: [] for size in batches}
    with start(package, environment) as function:
        senders = {size: make_sender(function, request) for size, request in batches.items()}
        for send in senders.values():
            send()
        for _ in range(runs):
            for size, send in senders.items():
                times = [seconds(send) for _ in range(BATCH_REQUESTS)]
                rates[size].append(size / statistics.median(times))
    return rates


def start(package: Package, environment: Mapping[str, str]) -> Function:
    """Load a package into the emulator; its process starts with the first request."""
    return Function(package.code, {**environment, **package.variables}, package.handler)


def make_sender(function: Function, request: Request) -> Callable[[], None]:
    """Return a function that sends a request and checks for status 200."""
    method = "GET" if request.body is None else "POST"

    def send() -> None:
        response = function.request(method, request.path, request.body)
        assert response.status == 200, response

    return send


def seconds(call: Callable[[], object]) -> float:
    """Return the duration of a call in seconds."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
