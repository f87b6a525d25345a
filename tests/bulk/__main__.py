"""Score a large file on the Lambda emulator: ``python -m tests.bulk``.

Messages come twice and out of order, one function in five is killed, another model is published.
Prints how many rows came back, and how many differ from scikit-learn's predictions.
"""

from __future__ import annotations

import argparse
import csv
import logging
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deployment.emulator.function import remove_package, unpack_package
from tests.support.aws_server import REGION, moto_server
from tests.support.bulk import EventSource, Stack
from tests.support.bulk_function import WatchedFunction
from tests.support.lambda_function import make_package
from training.artifact import build_artifact
from training.wine.dataset import split, wine
from training.wine.estimators import wine_pipeline

TOLERANCE = 1e-5


def main() -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="tests.bulk", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument(
        "--range-bytes", type=int, default=2_000_000, help="of a part (default: %(default)s)"
    )
    options = parser.parse_args()
    # Else there is a line for each request to S3.
    logging.getLogger("werkzeug").addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory() as scratch, moto_server(REGION) as environment:
        os.environ.update(environment)
        folder = make_package("prod", Path(scratch), bulk=True)
        code = unpack_package(folder / "deployment.zip", Path(scratch, "task"))
        try:
            return score(code, environment, options.rows, options.range_bytes)
        finally:
            remove_package(code)


def score(code: Path, environment: dict[str, str], count: int, range_bytes: int) -> int:
    """Score rows, print what came back, and return 1 if it is not what scikit-learn predicts."""
    dataset = wine()
    train = split(dataset, seed=0).train
    estimator, other = wine_pipeline().fit(train.X, train.y), wine_pipeline()
    other.fit(dataset.X, dataset.y)
    generator = np.random.default_rng(0)
    rows = dataset.X[generator.integers(len(dataset.X), size=count)]
    rows = (rows * generator.uniform(0.8, 1.2, rows.shape)).round(3)
    stack = Stack()
    names = dataset.feature_names
    first, second = (
        build_artifact(model, data.X, data.y, name="wine", feature_names=names)
        for model, data in ((estimator, train), (other, dataset))
    )
    stack.registry.publish(first.artifact)
    stack.put("wines.csv", pd.DataFrame(rows, columns=names).to_csv(index=False).encode())
    variables = {"BULK_RANGE_BYTES": str(range_bytes), **environment}
    rng = random.Random(0)
    started = time.perf_counter()
    with WatchedFunction(code, stack, variables, rng, killed=5) as function:
        published: list[str] = []

        def invoke(event: dict[str, Any]) -> None:
            function.invoke(event)
            if not published and '"range"' in event["Records"][0]["body"]:
                published.append(stack.registry.publish(second.artifact))

        EventSource(stack, invoke).run(rng, twice=0.2)
    seconds = time.perf_counter() - started
    success = stack.read_json("wines.csv", "_SUCCESS")
    lines = list(csv.reader(stack.lines("wines.csv")))
    labels = [str(label) for label in estimator.predict(rows)]
    differing = sum(line[0] != label for line, label in zip(lines, labels, strict=True))
    scores = np.array([line[1:4] for line in lines], float)
    difference = float(np.abs(scores - estimator.predict_proba(rows)).max())
    print(
        f"{len(lines):,} rows of {count:,} in {success['parts']} parts; {function.invocations} "
        f"invocations, {function.kills} killed, {len(published)} model published meanwhile; "
        f"{differing} labels differ from scikit-learn's, probabilities by up to {difference:.1e}; "
        f"{seconds:.0f} seconds"
    )
    is_right = (
        len(lines) == count
        and differing == 0
        and difference < TOLERANCE
        and success["version"] == first.version
        and (success["rows"], success["rejected"]) == (count, 0)
    )
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
