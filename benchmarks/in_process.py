"""Measure the handler without the emulator: reading, validation, prediction and response.

One sample is compared with a Chalice route that only parses JSON, a batch with minimal work:
parsing its JSON with the standard library, one ONNX Runtime call and writing the response. So are
batches that arrive as columns, each with the minimal work for the same body. A batch whose tensor
is bytes is compared with the same batch in JSON, and with minimal work. The handlers
run in a separate process that imports nothing else. `python -m benchmarks.in_process` prints these
comparisons alone.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import multiprocessing
import os
import statistics
import tempfile
from array import array
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measure import seconds
from benchmarks.packages import APPS, ROOT, Request
from benchmarks.results import Compared, InProcess
from deployment.emulator.events import api_gateway_event

RUNS = 9
OCTET_STREAM = "application/octet-stream"
INFER_PATH, INFER_ROUTE = "/v2/models/wine/infer", "/v2/models/{model_name}/infer"

# Makes a matrix of a body's JSON.
ToMatrix = Callable[[Any], Any]


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
) -> InProcess:
    """Compare one sample with a parse-only route, and batches with minimal work.

    Parameters
    ----------
    store : str
        The URL of a model store.
    model : bytes
        The ONNX file that is live in it.
    one, batch : Request
        One sample, and a batch by position.
    runs : int
        The number of runs, each of which measures what it compares in turns.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as process:
        return process.submit(_compare, store, model, one, batch, runs).result()


def _compare(store: str, model: bytes, one: Request, batch: Request, runs: int) -> InProcess:
    import numpy as np

    os.environ["MODEL_URL"] = store
    app = import_handler(ROOT / "wine-classifier")
    parse_only = import_handler(APPS / "json_only")
    one_event, batch_event = make_event(one), make_event(batch)
    session = Session(model)
    baseline = make_baseline(session, batch_event["body"], lambda body: np.array(body["data"]))
    assert json.loads(app(batch_event, None)["body"]) == json.loads(baseline())
    samples = json.loads(batch_event["body"])["data"]
    names = list(json.loads(one_event["body"])["data"])
    json_event, bytes_event = make_tensor_events(samples)
    bytes_baseline = make_bytes_baseline(session, bytes_event["body"], len(samples))
    columns = {}
    for name, (event, to_matrix) in make_column_events(samples, names).items():
        minimal = make_baseline(session, event["body"], to_matrix)
        columns[name] = in_turns(partial(app, event, None), minimal, runs, BATCH_CALLS)
    return InProcess(
        one=in_turns(
            lambda: app(one_event, None), lambda: parse_only(one_event, None), runs, SAMPLE_CALLS
        ),
        batch=in_turns(lambda: app(batch_event, None), baseline, runs, BATCH_CALLS),
        columns=columns,
        bytes_and_json=in_turns(
            lambda: app(bytes_event, None), lambda: app(json_event, None), runs, BATCH_CALLS
        ),
        bytes_and_baseline=in_turns(
            lambda: app(bytes_event, None), bytes_baseline, runs, BATCH_CALLS
        ),
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


def make_column_events(
    samples: list[list[float]], names: list[str]
) -> dict[str, tuple[dict[str, Any], ToMatrix]]:
    """Return events of the same samples by column, and what makes a matrix of their JSON."""
    import numpy as np

    columns = [list(column) for column in zip(*samples, strict=True)]
    split = {"columns": names[::-1], "data": [row[::-1] for row in samples]}
    inputs = [
        {"name": name, "shape": [len(column), 1], "datatype": "FP64", "data": column}
        for name, column in zip(names, columns, strict=True)
    ]
    document = json.dumps({"inputs": inputs, "outputs": [{"name": "predict"}]})
    return {
        "`dataframe_split`, in another order": (
            make_event(Request("/invocations", {"dataframe_split": split})),
            lambda body: np.array(body["dataframe_split"]["data"])[:, ::-1].copy(),
        ),
        "`inputs` by name": (
            make_event(Request("/invocations", {"inputs": dict(zip(names, columns, strict=True))})),
            lambda body: np.array(list(body["inputs"].values())).T.copy(),
        ),
        "`/v2`, an input for each feature": (
            api_gateway_event("POST", INFER_PATH, document, INFER_ROUTE),
            lambda body: np.array([each["data"] for each in body["inputs"]]).T.copy(),
        ),
    }


def make_tensor_events(samples: list[list[float]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the events of an inference request in JSON, and as bytes both ways."""
    values = array("d", chain.from_iterable(samples))
    tensor = {"name": "input", "shape": [len(samples), len(samples[0])], "datatype": "FP64"}
    in_json = {"inputs": [tensor | {"data": values.tolist()}], "outputs": [{"name": "predict"}]}
    data = values.tobytes()
    as_bytes = {
        "inputs": [tensor | {"parameters": {"binary_data_size": len(data)}}],
        "outputs": [{"name": "predict", "parameters": {"binary_data": True}}],
    }
    document = json.dumps(as_bytes).encode()
    events = [
        api_gateway_event("POST", INFER_PATH, body, INFER_ROUTE)
        for body in (json.dumps(in_json), base64.b64encode(document + data).decode())
    ]
    events[1]["isBase64Encoded"] = True
    events[1]["multiValueHeaders"] = {
        "Content-Type": [OCTET_STREAM],
        "Inference-Header-Content-Length": [str(len(document))],
    }
    return events[0], events[1]


class Session:
    """ONNX Runtime's Python package, as a handler with minimal work would use it."""

    def __init__(self, model: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self._name = self._session.get_inputs()[0].name

    def run(self, samples: Any) -> Any:
        """Return the index of the class of each sample."""
        return self._session.run(None, {self._name: samples})[0]


def make_baseline(session: Session, body: str, to_matrix: ToMatrix) -> Callable[[], str]:
    """Return a function with the minimal work for a batch, which checks nothing."""

    def classify() -> str:
        labels = session.run(to_matrix(json.loads(body)))
        return json.dumps({"predictions": [str(label) for label in labels.tolist()]})

    return classify


def make_bytes_baseline(session: Session, body: str, rows: int) -> Callable[[], bytes]:
    """Return the same for a batch as bytes, after JSON that it takes the length of as given."""
    import numpy as np

    start = base64.b64decode(body).index(b"}]}") + len(b"}]}")

    def classify() -> bytes:
        samples = np.frombuffer(base64.b64decode(body)[start:]).reshape(rows, -1).copy()
        data: bytes = session.run(samples).tobytes()
        return data

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
    """Measure and print the comparisons."""
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
        print(in_process_table(compare_in_process(store, model, one, many, options.runs)))


if __name__ == "__main__":
    main()
