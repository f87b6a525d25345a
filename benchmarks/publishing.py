"""Measure publishing at scale: `python -m benchmarks.publishing` writes docs/publishing.md.

Each case is measured in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from tabulate import tabulate

from benchmarks.machine import describe_machine
from benchmarks.packages import ROOT
from benchmarks.publishing_cases import CASES, Case
from benchmarks.served_model import ServedModel, serve
from training.publish import publish

PAGE = ROOT / "docs" / "publishing.md"
TIMES, SECONDS, MEGABYTES = 3, 10, 1_000  # the targets
ONE_ROW_MS = 10
LAMBDA_MEMORY_MB = 10_240  # the most: the memory of a server is no limit here
MANY_ROWS = 200  # of a request
REQUESTS = 30

_TEXT = """\
# Publishing at scale

Written by `python -m benchmarks.publishing` on {machine}. The load average was
{load_before} when it began and {load_after} when it ended: on a busy machine, times grow and vary.

The yardstick is the estimator's own `predict_proba` (or `predict`, if it has none) on all rows, in
the same process. Cross-validation is left out (`cv=0`): it fits the estimator again. Memory is the
peak while publishing, above what the process held before with the data and the fitted estimator.

Target: at most {times} times `predict_proba` plus {seconds} s, and at most {memory} MB.

{table}

"Compared" is how many samples were compared with scikit-learn, and how many of them are rows of the
table. Fewer are compared where each takes long; some rows of each class always are.

## Requests

Some of these models in a process with the imports of a function on Lambda, unless scikit-learn
serves them: the median of {requests} requests with one row, and the peak memory of the process
after a request with {many} rows. Target: one row in at most {one_row} ms.

{requests_table}
"""


class Measured(NamedTuple):
    """What one process measured."""

    predict_seconds: float
    publish_seconds: float
    memory_mb: float
    strategy: str
    compared: int
    table_rows: int
    served: ServedModel | None

    def is_fast(self) -> bool:
        """Return whether publishing took no longer than the target."""
        return self.publish_seconds <= TIMES * self.predict_seconds + SECONDS

    def is_small(self) -> bool:
        """Return whether publishing needed no more memory than the target."""
        return self.memory_mb <= MEGABYTES


def main() -> None:
    """Measure all cases and write the page, or print what one case measured."""
    parser = argparse.ArgumentParser(description="Measure publishing at scale.")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the rows of each case")
    parser.add_argument("--out", type=Path, help="the page to write instead of docs/publishing.md")
    parser.add_argument("--in-this-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_this_process:
        [name] = options.cases
        print(json.dumps(measure(CASES[name], options.scale)))
        return
    load_before = os.getloadavg()[0]
    results = {name: _measure_in_process(name, options.scale) for name in options.cases}
    text = report(results, (load_before, os.getloadavg()[0]))
    print(text)
    if options.out or (options.cases == list(CASES) and options.scale == 1.0):
        (options.out or PAGE).write_text(text)


def measure(case: Case, scale: float) -> Measured:
    """Fit, predict and publish in this process."""
    X, y = case.make_data(int(case.rows * scale))
    with warnings.catch_warnings(action="ignore"):
        estimator = case.make_estimator().fit(X, y)
    X, y = X[: case.published_rows], y[: case.published_rows]
    predict = getattr(estimator, "predict_proba", estimator.predict)
    predict(X[:100])  # imports modules
    start = time.perf_counter()
    predict(X)
    predict_seconds = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as store:
        before = _reset_peak_memory()
        start = time.perf_counter()
        published = publish(estimator, X, y, to=store, cv=0, memory=LAMBDA_MEMORY_MB)
        publish_seconds = time.perf_counter() - start
        memory = _memory("VmHWM") - before
        served = None
        if case.is_served and published.runtime == "onnx":
            artifact = Path(published.url.removeprefix("file://")).read_bytes()
            served = serve(artifact, _rows(X), requests=REQUESTS)
    comparison = published.comparison
    return Measured(
        predict_seconds,
        publish_seconds,
        memory,
        published.attempts[-1].strategy,
        comparison.rows,
        comparison.table_rows,
        served,
    )


def report(results: dict[str, Measured], load: tuple[float, float]) -> str:
    """Return the page; `load` is the load average before and after."""
    rows = [
        [
            CASES[name].title,
            f"{each.predict_seconds:.2f}",
            f"{each.publish_seconds:.1f}",
            f"{each.publish_seconds / each.predict_seconds:.1f}",
            _met(each.is_fast()),
            f"{each.memory_mb:,.0f}",
            _met(each.is_small()),
            f"{each.compared:,} ({each.table_rows:,})",
            each.strategy,
        ]
        for name, each in results.items()
    ]
    headers = ["", "predict, s", "publish, s", "ratio", "met", "memory, MB", "met"]
    served = [
        [
            CASES[name].title,
            f"{each.served.one_row_ms:.2f}",
            _met(each.served.one_row_ms <= ONE_ROW_MS),
            f"{each.served.idle_mb:,.0f}",
            f"{each.served.peak_mb:,.0f}",
        ]
        for name, each in results.items()
        if each.served
    ]
    served_headers = ["", "one row, ms", "met", "with the model, MB", f"after {MANY_ROWS} rows, MB"]
    return _TEXT.format(
        machine=describe_machine(),
        load_before=f"{load[0]:.1f}",
        load_after=f"{load[1]:.1f}",
        times=TIMES,
        seconds=SECONDS,
        memory=f"{MEGABYTES:,}",
        table=_table([*headers, "compared", "served by"], rows),
        requests=REQUESTS,
        many=MANY_ROWS,
        one_row=ONE_ROW_MS,
        requests_table=_table(served_headers, served),
    )


def _measure_in_process(name: str, scale: float) -> Measured:
    print(f"{CASES[name].title} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "benchmarks.publishing", "--in-this-process"]
    command += ["--cases", name, "--scale", str(scale)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    result = Measured(*json.loads(output))
    if result.served:
        result = result._replace(served=ServedModel(*result.served))
    print(result, file=sys.stderr, flush=True)
    return result


def _rows(X: Any) -> list[Any]:
    """Return the first rows of a matrix of numbers, or of a list of texts, as in a request."""
    return [[text] for text in X[:MANY_ROWS]] if isinstance(X, list) else X[:MANY_ROWS].tolist()


def _reset_peak_memory() -> float:
    """Return freed memory to the system and restart the peak; return the memory in use, in MB."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(field: str) -> float:
    """Return a field of this process's status in MB."""
    match = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return int(match[1]) / 1e3


def _met(is_met: bool) -> str:
    return "yes" if is_met else "**no**"


def _table(headers: list[str], rows: list[list[str]]) -> str:
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    main()
