"""Measure what the log of requests and its metrics take: time, bytes and dollars.

`python -m benchmarks.log_cost` prints bytes and dollars, and with `--runs` the times too.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import statistics
import tempfile
from array import array
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from functools import partial
from math import nan
from types import SimpleNamespace
from typing import Any

from benchmarks.in_process import import_handler, make_event
from benchmarks.measure import seconds
from benchmarks.packages import ROOT, Request
from benchmarks.results import LogCost
from deployment.emulator.events import api_gateway_event

SILENT = {"LOG_LEVEL": "error", "METRICS": "off", "DRIFT": "off"}
LINES = {"LOG_LEVEL": "info", "METRICS": "off", "DRIFT": "off"}
METRICS = {"LOG_LEVEL": "info", "METRICS": "on", "DRIFT": "off"}
DRIFT = {"LOG_LEVEL": "info", "METRICS": "on", "DRIFT": "on"}  # as on Lambda

CALLS_OF_ONE, CALLS_OF_BATCH = 1_000, 3  # in each run, in turns
COUNTED_REQUESTS = 100
COUNTED_ROWS = 4_000  # of one sample each, whose summaries are counted
CLASSES = 3  # of the model whose metrics are counted

Event = dict[str, Any]
Handler = Callable[[Event, object], Event]


class _Context:
    aws_request_id = "01234567-89ab-cdef-0123-456789abcdef"


def measure_log(store: str, one: Request, batch: Request, runs: int) -> LogCost:
    """Measure one sample and a batch by the settings of the log, in a process of its own.

    Parameters
    ----------
    store : str
        The URL of a model store.
    one, batch : Request
        One sample, and a batch by position.
    runs : int
        The number of runs, each of which measures all settings in turns.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as process:
        return process.submit(_measure, store, one, batch, runs).result()


def _measure(store: str, one: Request, batch: Request, runs: int) -> LogCost:
    os.environ["MODEL_URL"] = store
    events = make_event(one), make_event(batch)
    settings = {"no log": SILENT, "lines": LINES, "lines and metrics": METRICS}
    settings["lines, metrics and drift"] = DRIFT
    handlers = {name: _start(variables, *events) for name, variables in settings.items()}
    return LogCost(
        one=_in_turns(handlers, events[0], runs, CALLS_OF_ONE),
        batch=_in_turns(handlers, events[1], runs, CALLS_OF_BATCH),
        bytes_by_request=_count_bytes(handlers, *events),
        metrics=_count_metrics(),
    )


def _start(variables: dict[str, str], *events: Event) -> Handler:
    """Import the app with some settings, which it reads at its first request."""
    os.environ.update(variables)
    handler = import_handler(ROOT / "wine-classifier")
    with redirect_stdout(io.StringIO()):
        for event in events:
            handler(event, _Context)
    return handler


def _in_turns(
    handlers: dict[str, Handler], event: Event, runs: int, calls: int
) -> dict[str, list[float]]:
    """Return the median seconds of a call in each run, while the log goes to a file."""
    medians: dict[str, list[float]] = {name: [] for name in handlers}
    with tempfile.TemporaryFile("w") as log, redirect_stdout(log):
        for _ in range(runs):
            times: dict[str, list[float]] = {name: [] for name in handlers}
            for _ in range(calls):
                for name, handler in handlers.items():
                    times[name].append(seconds(partial(handler, event, _Context)))
            for name, values in times.items():
                medians[name].append(statistics.median(values))
    return medians


def _count_bytes(handlers: dict[str, Handler], one: Event, batch: Event) -> dict[str, float]:
    rejected = api_gateway_event("POST", "/classify", json.dumps({"data": ["x"]}))
    sampled = _start(METRICS | {"LOG_SAMPLE": "0.1"}, one)
    lines, metrics = handlers["lines"], handlers["lines and metrics"]
    requests = {
        "one sample, `METRICS=off`": (lines, one),
        "one sample": (metrics, one),
        "one sample, `LOG_SAMPLE=0.1`": (sampled, one),
        "10,000 samples of 3 classes": (metrics, batch),
        "a rejected request": (metrics, rejected),
    }
    sizes = {}
    for name, (handler, event) in requests.items():
        with redirect_stdout(io.StringIO()) as log:
            for _ in range(COUNTED_REQUESTS if event is one else 1):
                handler(event, _Context)
        sizes[name] = len(log.getvalue()) / (COUNTED_REQUESTS if event is one else 1)
    sizes["its share of a summary for drift"] = _count_summaries(one) / COUNTED_ROWS
    return sizes


def _count_summaries(event: Event) -> int:
    """Return the bytes of the summaries of a process that serves `COUNTED_ROWS`."""
    handler = _start(DRIFT, event)
    with redirect_stdout(io.StringIO()) as log:
        for _ in range(COUNTED_ROWS):
            handler(event, _Context)
    return sum(len(line) for line in log.getvalue().splitlines() if '"event":"drift"' in line)


def _count_metrics() -> int:
    """Count the metrics that CloudWatch has of a model with numbers and texts, at most."""
    from chalicelib.inputs.samples import Samples
    from chalicelib.inputs.signature import Feature, Signature
    from chalicelib.monitoring.drift import METRIC as DRIFT_INDEX
    from chalicelib.monitoring.metrics import Metrics
    from chalicelib.rest.responses import rejection_kind
    from chalicelib.runtimes.base import Prediction

    features = (Feature("number", "numeric", False), Feature("text", "categorical", False))
    labels = tuple(map(str, range(CLASSES)))
    manifest: Any = SimpleNamespace(signature=Signature(features, labels))
    metrics = Metrics("model")
    for kind in sorted({str(rejection_kind(status)) for status in range(400, 600)}):
        metrics.add_request(1.0, kind, is_cold=True)
    for label in labels:
        prediction = Prediction([label], None, out_of_range=["number", "text"])
        metrics.add_samples(Samples(1, array("d", [nan]), [None]), prediction, manifest)
    found = {(DRIFT_INDEX, ("model",))}
    for members in metrics.flush():
        line = json.loads(f"{{{members}}}")
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = tuple(line[name] for name in names)
                found |= {(metric["Name"], dimensions) for metric in directive["Metrics"]}
    return len(found)


def main() -> None:
    """Measure and print."""
    from benchmarks.models import batch, one_sample, publish, wine_model
    from benchmarks.tables import BATCH, log_size_table, log_time_table, metrics_sentence

    parser = argparse.ArgumentParser(description="Measure what the log of requests takes.")
    parser.add_argument("--runs", type=int, default=0, help="how often the times are measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = publish(wine_model(), folder)
        cost = measure_log(store, one_sample(), batch(BATCH), options.runs)
    if options.runs:
        print(log_time_table(cost), end="\n\n")
    print(log_size_table(cost))
    print(metrics_sentence(cost.metrics))


if __name__ == "__main__":
    main()
