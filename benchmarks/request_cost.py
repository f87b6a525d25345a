"""What reading, checking and answering a request costs: `python -m benchmarks.request_cost`.

A batch is compared with what cannot be done without (parsing its JSON with the standard library,
one ONNX Runtime call, writing the answer), one sample with a Chalice route that only parses.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from chalice.app import Chalice
from tabulate import tabulate

from training.artifact import build_artifact
from training.dataset import wine
from training.pipeline import wine_pipeline
from training.store import WritableStore

APP = Path(__file__).parent.parent / "wine-classifier"
BATCH = 10_000
RUNS = 9
CALLS = {"batch": 3, "one": 2_000}


def event(body: bytes) -> dict[str, Any]:
    """Make the event of a request, as API Gateway does."""
    return {
        "requestContext": {"httpMethod": "POST", "resourcePath": "/classify"},
        "headers": {"Content-Type": "application/json"},
        "multiValueQueryStringParameters": None,
        "pathParameters": {},
        "stageVariables": None,
        "body": body.decode(),
    }


def main() -> None:
    """Measure in turns and print medians, spread and ratios."""
    X, y, names = wine()
    artifact = build_artifact(
        wine_pipeline().fit(X, y), X, y, name="wine", feature_names=names
    ).artifact
    with tempfile.TemporaryDirectory() as folder:
        store = WritableStore(folder)
        store.publish(artifact)
        os.environ["MODEL_URL"] = store.url
        app = load_app()
        rows = np.random.default_rng(0).uniform(X.min(0), X.max(0), (BATCH, X.shape[1])).round(4)
        batch = event(json.dumps({"data": rows.tolist()}).encode())
        one = event(json.dumps({"data": dict(zip(names, X[0].tolist(), strict=True))}).encode())
        parse_only = parsing_app()
        report(
            f"a batch of {BATCH:,}, app",
            lambda: app(batch, None),
            "bare",
            bare(artifact, batch["body"]),
            CALLS["batch"],
        )
        report(
            "one sample, app", lambda: app(one, None), "a route that parses",
            lambda: parse_only(one, None), CALLS["one"],
        )  # fmt: skip


def load_app() -> Any:
    """Import the app."""
    sys.path.insert(0, str(APP))
    spec = importlib.util.spec_from_file_location("app", APP / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


def parsing_app() -> Chalice:
    """Make a Chalice app with a route that parses its body and answers."""
    app = Chalice(app_name="parses")

    @app.route("/classify", methods=["POST"])
    def classify() -> dict[str, str]:
        assert app.current_request is not None
        return {"prediction": str(len(app.current_request.json_body))}

    return app


def bare(artifact: bytes, body: str) -> Callable[[], str]:
    """Do what cannot be done without, and check nothing."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(artifact, options, providers=["CPUExecutionProvider"])

    def answer() -> str:
        matrix = np.array(json.loads(body)["data"], dtype=np.float64)
        labels, _ = session.run(None, {"samples": matrix})
        return json.dumps({"predictions": [str(label) for label in labels.tolist()]})

    return answer


def report(
    ours: str, run: Callable[[], Any], baseline: str, run_baseline: Callable[[], Any], calls: int
) -> None:
    """Measure two in turns and print them."""
    seconds: dict[str, list[float]] = {ours: [], baseline: []}
    for _ in range(RUNS):
        for name, call in ((ours, run), (baseline, run_baseline)):
            start = time.perf_counter()
            for _ in range(calls):
                call()
            seconds[name].append((time.perf_counter() - start) / calls)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    table = [
        [
            name,
            medians[name] * 1e3,
            min(times) * 1e3,
            max(times) * 1e3,
            medians[name] / medians[baseline],
        ]
        for name, times in seconds.items()
    ]
    headers = ["", "median ms", "least", "most", "ratio"]
    print(tabulate(table, headers=headers, tablefmt="github", floatfmt=".3f"), end="\n\n")


if __name__ == "__main__":
    main()
