"""Measure the handler without the emulator: reading, validation, prediction and response.

One sample is compared with a Chalice route that only parses JSON, a batch with minimal work:
parsing its JSON with the standard library, one ONNX Runtime call and writing the response. The
handlers run in a separate process that imports nothing else. `python -m benchmarks.in_process`
prints these two comparisons alone.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measure import seconds
from benchmarks.packages import APPS, ROOT, Request
from benchmarks.results import Compared
from deployment.emulator.events import api_gateway_event

RUNS = 9


class Calls(NamedTuple):
    """The calls of a run: some turns, each with some calls in a row."""

    turns: int
    per_turn: int


# In a row, not alternating: a parse-only route fits into the processor's caches, and takes 1.5 x
# as long after a call of this project's handler. The ratio in a row is the least favourable one.
SAMPLE_CALLS = Calls(turns=20, per_turn=100)
BATCH_CALLS = Calls(turns=5, per_turn=1)


def compare_in_process(
    store: str, model: bytes, one: Request, batch: Request, runs: int
) -> tuple[Compared, Compared]:
    """Compare one sample with a parse-only route, and a batch with minimal work.

    Parameters
    ----------
    store : str
        The URL of a model store.
    model : bytes
        The ONNX file that is live in it.
    one, batch : Request
        One sample, and a batch by position.
    runs : int
        The number of runs, each of which measures all four in turns.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as process:
        return process.submit(_compare, store, model, one, batch, runs).result()


def _compare(
    store: str, model: bytes, one: Request, batch: Request, runs: int
) -> tuple[Compared, Compared]:
    os.environ["MODEL_URL"] = store
    app = import_handler(ROOT / "wine-classifier")
    parse_only = import_handler(APPS / "json_only")
    one_event, batch_event = make_event(one), make_event(batch)
    baseline = make_baseline(model, batch_event["body"])
    assert json.loads(app(batch_event, None)["body"]) == json.loads(baseline())
    return (
        in_turns(
            lambda: app(one_event, None), lambda: parse_only(one_event, None), runs, SAMPLE_CALLS
        ),
        in_turns(lambda: app(batch_event, None), baseline, runs, BATCH_CALLS),
    )


def import_handler(project: Path) -> Callable[[dict[str, Any], object], dict[str, Any]]:
    """Import the handler of a Chalice project."""
    spec = importlib.util.spec_from_file_location(project.name, project / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: Callable[[dict[str, Any], object], dict[str, Any]] = module.app
    return app


def make_event(request: Request) -> dict[str, Any]:
    """Return the event of a request."""
    return api_gateway_event("POST", request.path, json.dumps(request.body))


def make_baseline(model: bytes, body: str) -> Callable[[], str]:
    """Return a function with the minimal work for a batch, which checks nothing."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    [matrix] = session.get_inputs()

    def classify() -> str:
        samples = np.array(json.loads(body)["data"], dtype=np.float64)
        labels, *_ = session.run(None, {matrix.name: samples})
        return json.dumps({"predictions": [str(label) for label in labels.tolist()]})

    return classify


def in_turns(
    measured: Callable[[], object], baseline: Callable[[], object], runs: int, calls: Calls
) -> Compared:
    """Measure two functions in turns: the median seconds of a call in each run."""
    for call in (measured, baseline):
        call()  # imports modules and fetches the model, which is not measured
    compared = Compared([], [])
    for _ in range(runs):
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(calls.turns):
            for call, call_times in zip((measured, baseline), times, strict=True):
                call_times += [seconds(call) for _ in range(calls.per_turn)]
        compared.measured.append(statistics.median(times[0]))
        compared.baseline.append(statistics.median(times[1]))
    return compared


def main() -> None:
    """Measure and print the two comparisons."""
    # Not at the top: the measuring process imports this module too, and must import nothing else.
    import argparse

    from benchmarks.models import batch, one_sample, publish, wine_model
    from benchmarks.tables import BATCH, in_process_table

    parser = argparse.ArgumentParser(description="Measure the handler without the emulator.")
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    model = wine_model()
    with tempfile.TemporaryDirectory() as folder:
        store = publish(model, folder)
        one, many = one_sample(), batch(BATCH)
        print(in_process_table(*compare_in_process(store, model, one, many, options.runs)))


if __name__ == "__main__":
    main()
