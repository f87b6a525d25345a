"""Measure how fast the function that scores files is: `python -m benchmarks.bulk`.

What one processor takes to parse, predict and write, in this process; and to find where rows end.
S3's share is not in it: a range is fetched beside.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from benchmarks.bulk_tables import bulk_table, scale_table, splitting_sentence
from benchmarks.results import BulkResults, BulkScoring
from chalicelib.bulk.inbox import CHUNK_BYTES
from chalicelib.bulk.rows import find_ranges
from chalicelib.bulk.scoring import Scorer
from chalicelib.bulk.settings import RANGE_BYTES
from chalicelib.bulk.tasks import SCORED_BYTES
from chalicelib.models.model import load_model
from training.artifact import build_artifact
from training.wine.dataset import wine
from training.wine.estimators import wine_pipeline

ROWS = 200_000
RUNS = 3
TREES = 200


def measure_bulk(runs: int, rows: int = ROWS) -> BulkResults:
    """Measure how fast rows are scored, by model, and files split."""
    return BulkResults(measure_scoring(runs, rows), *measure_splitting(runs, rows))


def measure_scoring(runs: int, rows: int) -> dict[str, BulkScoring]:
    """Measure each model."""
    X, y, names = wine()
    generator = np.random.default_rng(0)
    samples = generator.uniform(X.min(axis=0), X.max(axis=0), (rows, len(names))).round(2)
    text = pd.DataFrame(samples).to_csv(index=False, header=False)
    header = ",".join(names) + "\n"
    forest = RandomForestClassifier(TREES, random_state=0)
    results = {}
    for name, estimator in {"wine": wine_pipeline(), f"forest of {TREES} trees": forest}.items():
        artifact = build_artifact(estimator.fit(X, y), X, y, name="bulk", feature_names=names)
        model = load_model(artifact.artifact)
        measured = [_score(model, header, text.encode()) for _ in range(runs)]
        results[name] = BulkScoring(len(text) / rows, measured)
    return results


def measure_splitting(runs: int, rows: int) -> tuple[list[float], list[float]]:
    """Return bytes a second in each run, of rows without quotes and of quoted ones."""
    line = ",".join(["12.34"] * 13)
    plain, quoted = ((text * rows).encode() for text in (f"{line}\n", f'"{line}"\n'))
    return [_split(plain) for _ in range(runs)], [_split(quoted) for _ in range(runs)]


def _score(model: Any, header: str, data: bytes) -> float:
    """Return the rows that a second of a processor scores."""
    scorer = Scorer(model, "csv", header, lambda: None, probabilities=True)
    started = time.process_time()
    for _ in scorer.score(_chunks(data, SCORED_BYTES)):
        pass
    return scorer.rows / (time.process_time() - started)


def _split(data: bytes) -> float:
    """Return the bytes that a second of a processor splits."""
    started = time.process_time()
    chunks = _chunks(data, CHUNK_BYTES)
    for _ in find_ranges(chunks, "csv", start=0, line=1, range_bytes=RANGE_BYTES):
        pass
    return len(data) / (time.process_time() - started)


def _chunks(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description="Measure the function that scores files.")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--rows", type=int, default=ROWS)
    options = parser.parse_args()
    results = measure_bulk(options.runs, options.rows)
    print(bulk_table(results), splitting_sentence(results), scale_table(results), sep="\n\n")


if __name__ == "__main__":
    main()
