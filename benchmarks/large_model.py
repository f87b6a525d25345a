"""Measure a large model from export to request: `python -m benchmarks.large_model`.

The model is a forest of 1,000 deep trees on the digits data. It is loaded and called in a separate
process with the imports of a function on Lambda.
"""

from __future__ import annotations

import time

from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier
from tabulate import tabulate

from benchmarks.served_model import serve
from chalicelib.models.artifact import read_manifest
from training.artifact import build_artifact

TREES = 1_000
REQUESTS = 50


def main() -> None:
    """Build the model, measure and print."""
    X, y = load_digits(return_X_y=True)
    forest = ExtraTreesClassifier(TREES, random_state=0, n_jobs=-1).fit(X, y)
    start = time.perf_counter()
    built = build_artifact(forest, X, y, name="digits")
    build_seconds = time.perf_counter() - start
    served = serve(built.artifact, X[:1].tolist(), requests=REQUESTS)
    memory = read_manifest(built.artifact)["memory"]
    nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    rows = [
        ["trees, nodes", f"{TREES:,}, {nodes:,}"],
        ["runtime", built.attempts[-1].strategy],
        ["label mismatches", f"{built.comparison.label_mismatches} of {built.comparison.rows:,}"],
        ["artifact", f"{len(built.artifact) / 1e6:.1f} MB"],
        ["export and comparison", f"{build_seconds:.1f} s"],
        ["load and golden samples", f"{served.load_seconds:.2f} s"],
        ["peak memory", f"{served.peak_mb:.0f} MB"],
        ["to load it, to replace it", f"{memory['load']} MB, {memory['swap']} MB"],
        ["one request, median", f"{served.one_row_ms:.2f} ms"],
    ]
    print(tabulate(rows, tablefmt="github"))


if __name__ == "__main__":
    main()
