"""What reading, checking and answering a request costs, without the emulator around it.

One sample is compared with a Chalice route that only parses, a batch with what cannot be done
without: parsing its JSON with the standard library, one ONNX Runtime call, writing the answer. The
handlers are called in a process of its own, in which nothing else was imported:
`python -m benchmarks.in_process` prints these two alone.
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
    """How often something is called in a run.

    Parameters
    ----------
    turns, in_a_row : int
        So many turns, with so many calls each.
    """

    turns: int
    in_a_row: int


# Not call by call: a route that only parses fits into the processor's caches, and is half as slow
# again if ours has just been there. Alone it is at its best, so the ratio is at its worst for us.
CALLS_OF_ONE = Calls(turns=20, in_a_row=100)
CALLS_OF_BATCH = Calls(turns=5, in_a_row=1)


def compare_in_process(
    store: str, model: bytes, one: Request, batch: Request, runs: int
) -> tuple[Compared, Compared]:
    """Measure both in a process of its own.

    Parameters
    ----------
    store : str
        The URL of a model store.
    model : bytes
        The ONNX file that is live in it.
    one, batch : Request
        One sample, and many by position.
    runs : int
        How often each is measured, in turns.

    Returns
    -------
    tuple of Compared
        One sample beside a route that only parses; the batch beside the bare work.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as process:
        return process.submit(_compare, store, model, one, batch, runs).result()


def _compare(
    store: str, model: bytes, one: Request, batch: Request, runs: int
) -> tuple[Compared, Compared]:
    os.environ["MODEL_URL"] = store
    app, parses = handler(ROOT / "wine-classifier"), handler(APPS / "json_only")
    of_one, of_batch = event(one), event(batch)
    bare_work = bare(model, of_batch["body"])
    assert json.loads(app(of_batch, None)["body"]) == json.loads(bare_work())
    return (
        in_turns(lambda: app(of_one, None), lambda: parses(of_one, None), runs, CALLS_OF_ONE),
        in_turns(lambda: app(of_batch, None), bare_work, runs, CALLS_OF_BATCH),
    )


def handler(project: Path) -> Callable[[dict[str, Any], object], dict[str, Any]]:
    """Import the handler of a Chalice project.

    Parameters
    ----------
    project : Path
        Its folder.

    Returns
    -------
    callable
        Of an event and a context.
    """
    spec = importlib.util.spec_from_file_location(project.name, project / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: Callable[[dict[str, Any], object], dict[str, Any]] = module.app
    return app


def event(request: Request) -> dict[str, Any]:
    """Make the event of a request.

    Parameters
    ----------
    request : Request

    Returns
    -------
    dict
    """
    return api_gateway_event("POST", request.path, json.dumps(request.body))


def bare(model: bytes, body: str) -> Callable[[], str]:
    """Make a function that does what cannot be done without, and checks nothing.

    Parameters
    ----------
    model : bytes
        An ONNX file that takes one matrix.
    body : str
        Of the request.

    Returns
    -------
    callable
        Gives the answer's body.
    """
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    [matrix] = session.get_inputs()

    def answer() -> str:
        samples = np.array(json.loads(body)["data"], dtype=np.float64)
        labels, *_ = session.run(None, {matrix.name: samples})
        return json.dumps({"predictions": [str(label) for label in labels.tolist()]})

    return answer


def in_turns(
    ours: Callable[[], object], baseline: Callable[[], object], runs: int, calls: Calls
) -> Compared:
    """Measure two in turns, some calls of the one and then some of the other.

    Parameters
    ----------
    ours, baseline : callable
    runs : int
    calls : Calls
        How many in a run.

    Returns
    -------
    Compared
        Seconds of one call, the median of a run.
    """
    for call in (ours, baseline):
        call()  # what the first one imports or fetches is not what is measured
    found = Compared([], [])
    for _ in range(runs):
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(calls.turns):
            for call, of_call in zip((ours, baseline), times, strict=True):
                of_call += [seconds(call) for _ in range(calls.in_a_row)]
        found.measured.append(statistics.median(times[0]))
        found.baseline.append(statistics.median(times[1]))
    return found


def main() -> None:
    """Measure these two alone and print them."""
    # Here, as the process that measures imports this file too, and is to have nothing else in it.
    from benchmarks.models import batch, one_sample, publish, wine_model
    from benchmarks.tables import BATCH, in_process_table

    model = wine_model()
    with tempfile.TemporaryDirectory() as folder:
        store = publish(model, folder)
        print(in_process_table(*compare_in_process(store, model, one_sample(), batch(BATCH), RUNS)))


if __name__ == "__main__":
    main()
