"""Measure how late the store makes a request: `python -m benchmarks.store_faults`.

A process answers requests one after the other, as a function does, with a model loaded. Meanwhile
each fault of the store that the tests know begins, is noticed, and ends. Writes
docs/store-faults.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from moto.server import ThreadedMotoServer
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier
from tabulate import tabulate

from benchmarks.machine import describe_machine
from benchmarks.packages import ROOT
from tests.support.artifacts import rewrite_manifest
from tests.support.faulty_store import FAULTS, KEY, SECRET, Fault, FaultyStore, faulty_store
from training.artifact import build_artifact
from training.registry import ModelRegistry
from training.wine.dataset import wine
from training.wine.estimators import wine_pipeline

PAGE = ROOT / "docs" / "store-faults.md"
LIMIT_MS = 100
ROUNDS = 3
SECONDS = 1.0  # without a fault, and with one after it was noticed
DEADLINE_SECONDS = 60
TREES = 1_000  # 49 MB
OTHER_VERSION = "0" * 12
MEMORY_FOR_ONE = 320  # MB, too little for two of these models
LARGE_BYTES = 100 * 1024 * 1024

# Between two requests a function waits for the next; here other threads have that time.
_SERVE = """
import importlib.util, json, sys, threading, time
from deployment.emulator.events import api_gateway_event

spec = importlib.util.spec_from_file_location("served", "wine-classifier/app.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
event = api_gateway_event("POST", "/classify", sys.argv[1])
log, sys.stdout = sys.stdout, open("/dev/null", "w")
commands = []
threading.Thread(target=lambda: commands.extend(sys.stdin), daemon=True).start()
times, failed = [], 0
while True:
    start = time.perf_counter()
    response = module.app(event, None)
    times.append(time.perf_counter() - start)
    failed += response["statusCode"] != 200
    if commands:
        commands.pop()
        health = module.service.models.health()
        print(json.dumps([times, failed, health.version, health.reason]), file=log, flush=True)
        times, failed = [], 0
    time.sleep(0.002)
"""

_TEXT = """\
# Faults of the store

Written by `python -m benchmarks.store_faults` on {machine}. The load average was
{load_before} when it began and {load_after} when it ended: on a busy machine, the latest request
is later whatever the store does, as the first row shows.

A process with a model sends itself requests, one after the other, while each fault of
`tests/support/faulty_store.py` begins, is noticed, and ends. A check of the store is due every
0.2 seconds, and its time limit is half a second. The figure is the latest of all requests from
before a fault to after it, in milliseconds: the median of {rounds} rounds, and the largest. Target:
at most {limit} ms. No request failed.

{table}

A stale model is [worth a wait](decisions/model-store.md) of 50 ms, for one request of a check. A
model of 49 MB is a forest of {trees:,} trees, which replaces another of its size; both fit the
512 MB of a function. "Dropped first" is a function of 320 MB, in which they do not: requests wait
until one is loaded, by design, as they would get a 503 otherwise.
"""


class Report(NamedTuple):
    """What became of the requests since the last report."""

    seconds: list[float]
    failed: int
    version: str
    reason: str | None


class Row(NamedTuple):
    """A fault, its reason, and the latest request of each round."""

    name: str
    reason: str
    milliseconds: list[float]

    def cells(self) -> list[str]:
        """Return the row of the table."""
        median, largest = statistics.median(self.milliseconds), max(self.milliseconds)
        met = "yes" if median <= LIMIT_MS else "no"
        return [self.name, self.reason, f"{median:.0f}", f"{largest:.0f}", met]


class Server:
    """A process that answers requests."""

    def __init__(self, sample: Any, **variables: str | None) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'wine-classifier'}",
            **variables,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _SERVE, json.dumps({"data": sample})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            env={name: value for name, value in environment.items() if value is not None},
        )

    def report(self) -> Report:
        """Return what became of the requests since the last report."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("report\n")
        self._process.stdin.flush()
        return Report(*json.loads(self._process.stdout.readline()))

    def run(self, is_done: Callable[[Report], bool]) -> Iterator[float]:
        """Yield the seconds of the requests until a report says so, and of those shortly after."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        done_at = None
        while done_at is None or time.monotonic() < done_at + SECONDS:
            time.sleep(0.05)
            report = self.report()
            assert not report.failed, report.reason
            yield from report.seconds
            if done_at is None and is_done(report):
                done_at = time.monotonic()
            assert done_at or time.monotonic() < deadline, report.reason

    def __enter__(self) -> Server:
        self.report()  # the first request has loaded the model
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def measure_fault(server: Server, store: FaultyStore, fault: Fault | None) -> float:
    """Return the latest request's milliseconds while a fault begins, lasts and ends."""
    if fault is None:
        return max(server.run(lambda _: True)) * 1e3
    fault.inject(store)
    during = list(server.run(lambda report: report.reason == fault.reason))
    store.heal()
    after = list(server.run(lambda report: report.reason is None))
    return max(during + after) * 1e3


def measure_swap(
    store: FaultyStore, artifact: bytes, sample: list[float], key: str | None, **variables: str
) -> float:
    """Return the latest request's milliseconds while a model replaces another of its size."""
    other = rewrite_manifest(artifact, lambda manifest: manifest.update(version=OTHER_VERSION))
    registry = ModelRegistry(store.registry.url, *([key] if key else []))
    registry.publish(artifact)
    variables |= {"MODEL_MAX_BYTES": str(LARGE_BYTES), "MODEL_TIMEOUT_SECONDS": "20"}
    with Server(sample, MODEL_SIGNING_KEY=SECRET if key else None, **variables) as server:
        registry.publish(other)
        return max(server.run(lambda report: report.version == OTHER_VERSION)) * 1e3


def measure_faults(endpoint: str, rounds: int, only: str) -> Iterator[Row]:
    """Measure the faults whose name has a text, with the wine model."""
    X, y, names = wine()
    estimator = wine_pipeline().fit(X, y)
    built = build_artifact(estimator, X, y, name="wine", feature_names=names, metrics={})
    faults: dict[str, Fault | None] = {"none": None, **FAULTS}
    chosen = {name: fault for name, fault in faults.items() if only in name}
    with faulty_store(endpoint, built.artifact) as store, Server(".10") as server:
        for name, fault in chosen.items():
            times = [measure_fault(server, store, fault) for _ in range(rounds)]
            yield Row(name, fault.reason if fault else "", times)


def measure_swaps(endpoint: str, rounds: int) -> Iterator[Row]:
    """Measure the swap of a large model."""
    X, y = load_digits(return_X_y=True)
    forest = ExtraTreesClassifier(TREES, random_state=0, n_jobs=-1).fit(X, y)
    artifact = build_artifact(forest, X, y, name="digits", metrics={}).artifact
    memory = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_FOR_ONE)}
    swaps: list[tuple[str, str | None, dict[str, str]]] = [
        ("a new model of 49 MB, signed", KEY, {}),
        ("a new model of 49 MB, not signed", None, {}),
        ("the same, the old one dropped first", KEY, memory),
    ]
    with faulty_store(endpoint, artifact) as store:
        for name, key, variables in swaps:
            times = [
                measure_swap(store, artifact, X[0].tolist(), key, **variables)
                for _ in range(rounds)
            ]
            yield Row(name, "", times)


@contextmanager
def s3_server() -> Iterator[str]:
    """Run an S3 server; yield its URL."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description="Measure how late the store makes a request.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="faults whose name has this text; no page")
    options = parser.parse_args()
    load_before, table = os.getloadavg()[0], []
    with s3_server() as endpoint:
        rows = measure_faults(endpoint, options.rounds, options.only)
        if not options.only:
            rows = itertools.chain(rows, measure_swaps(endpoint, options.rounds))
        for row in rows:
            table.append(row.cells())
            print(*table[-1], sep=" | ", flush=True)
    if not options.only:
        PAGE.write_text(format_page(table, options.rounds, load_before))


def format_page(table: list[list[str]], rounds: int, load_before: float) -> str:
    """Return the page."""
    return _TEXT.format(
        machine=describe_machine(),
        load_before=f"{load_before:.1f}",
        load_after=f"{os.getloadavg()[0]:.1f}",
        rounds=rounds,
        limit=LIMIT_MS,
        trees=TREES,
        table=tabulate(
            table, ["fault", "reason", "median", "largest", "met"], "github", disable_numparse=True
        ),
    )


if __name__ == "__main__":
    main()
