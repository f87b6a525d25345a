"""Compare scoring a file with pandas and scikit-learn: `python -m benchmarks.scoring`.

Each run scores the same table twice, in two processes: with this project, and with
`pandas.read_csv`, ``estimator.predict`` and ``to_csv``. Both write the same file. Python keeps the
bytecode of what it imports, also where the environment tells it not to, and a smaller table that
each scores first writes it: compiling the sources of libraries is no part of scoring.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from benchmarks.models import publish
from benchmarks.packages import ROOT
from benchmarks.results import Compared, FileScoring
from benchmarks.tables import file_scoring_table
from training.artifact import build_artifact
from training.wine.dataset import wine
from training.wine.estimators import wine_pipeline

ROWS = 1_000_000
RUNS = 3
TREES = 200
_ROWS_AT_A_TIME = 100_000


class _Measured(NamedTuple):
    seconds: float
    process_seconds: float  # with the interpreter's start and the imports
    memory: int


def compare_scoring(runs: int, rows: int = ROWS) -> dict[str, FileScoring]:
    """Measure each model in turns, and the memory with half of the rows."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        table, small = Path(folder, "table.csv"), Path(folder, "small.csv")
        _write_table(table, rows)
        _write_table(small, rows // 2)
        for name, estimator in _estimators().items():
            with _published(name, estimator, Path(folder)) as (store, pickle):
                half = _measure("this project", small, store)
                _measure("pandas", small, pickle)
                pairs = [
                    (_measure("this project", table, store), _measure("pandas", table, pickle))
                    for _ in range(runs)
                ]
            results[name] = FileScoring(
                rows,
                Compared([a.seconds for a, _ in pairs], [b.seconds for _, b in pairs]),
                Compared(
                    [a.process_seconds for a, _ in pairs], [b.process_seconds for _, b in pairs]
                ),
                max(a.memory for a, _ in pairs),
                half.memory,
                max(b.memory for _, b in pairs),
            )
    return results


def _estimators() -> dict[str, Any]:
    forest = RandomForestClassifier(TREES, random_state=0, n_jobs=-1)
    return {"wine": wine_pipeline(), f"forest of {TREES} trees": forest}


@contextmanager
def _published(name: str, estimator: Any, folder: Path) -> Iterator[tuple[str, str]]:
    """Fit an estimator; yield the store that it was published to, and its pickle."""
    X, y, names = wine()
    frame = pd.DataFrame(X, columns=names)
    estimator.fit(frame, y)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        pickle = Path(own, "estimator.joblib")
        joblib.dump(estimator, pickle)
        publish(build_artifact(estimator, frame, y, name="scored").artifact, f"{own}/store")
        yield f"{own}/store", str(pickle)


def _write_table(path: Path, rows: int) -> None:
    """Write made-up wines within the ranges of the real ones, with two decimals."""
    X, _, names = wine()
    random = np.random.default_rng(0)
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(names) + "\n")
        for start in range(0, rows, _ROWS_AT_A_TIME):
            size = (min(_ROWS_AT_A_TIME, rows - start), len(names))
            samples = random.uniform(X.min(axis=0), X.max(axis=0), size).round(2)
            pd.DataFrame(samples).to_csv(file, index=False, header=False)


def _measure(way: str, table: Path, model: str) -> _Measured:
    """Score a table in a process of its own; raise if another way gave other labels."""
    out = Path(model).with_name(f"{way}-{table.name}".replace(" ", "-"))
    command = [sys.executable, "-m", "benchmarks.scoring_process", way, str(table), model, str(out)]
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(table.parent / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    process_seconds = time.perf_counter() - start
    printed = json.loads(result.stdout)
    other = out.with_name(f"this-project-{table.name}")
    if other.exists() and out.read_bytes() != other.read_bytes():
        raise AssertionError("the two ways give other labels")
    return _Measured(printed["seconds"], process_seconds, printed["memory"])


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Compare scoring a file with pandas.")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--rows", type=int, default=ROWS)
    options = parser.parse_args()
    print(file_scoring_table(compare_scoring(options.runs, options.rows)))


if __name__ == "__main__":
    main()
