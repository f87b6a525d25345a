"""Measure a large model from export to request: `python -m benchmarks.large_model`.

The model is a forest of 1,000 deep trees on the digits data. It is loaded and called in a separate
process with the imports of a function on Lambda.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier
from tabulate import tabulate

from training.artifact import build_artifact

TREES = 1_000
REQUESTS = 50
ROOT = Path(__file__).parent.parent

_SERVE = """
import json, re, sys, time
from chalicelib.protocols.classify import classify, read_classify_request
from chalicelib.models.model import load_model

artifact, body = (open(path, "rb").read() for path in sys.argv[1:])
start = time.perf_counter()
model = load_model(artifact)
load = time.perf_counter() - start
times = []
for _ in range(int({requests})):
    start = time.perf_counter()
    classify(read_classify_request(body, {{}}), model, max_rows=1)
    times.append(time.perf_counter() - start)
with open("/proc/self/status") as status:
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1]) / 1024
print(json.dumps([load, times, peak]))
"""


def main() -> None:
    """Build the model, measure and print."""
    X, y = load_digits(return_X_y=True)
    forest = ExtraTreesClassifier(TREES, random_state=0, n_jobs=-1).fit(X, y)
    start = time.perf_counter()
    built = build_artifact(forest, X, y, name="digits")
    build_seconds = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        files = {"artifact": built.artifact, "body": json.dumps({"data": X[0].tolist()}).encode()}
        paths = []
        for name, content in files.items():
            paths.append(Path(folder) / name)
            paths[-1].write_bytes(content)
        output = subprocess.run(
            [sys.executable, "-c", _SERVE.format(requests=REQUESTS), *map(str, paths)],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
        ).stdout
    load, times, peak = json.loads(output)
    nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    rows = [
        ["trees, nodes", f"{TREES:,}, {nodes:,}"],
        ["runtime", built.attempts[-1].strategy],
        ["label mismatches", f"{built.comparison.label_mismatches} of {built.comparison.rows:,}"],
        ["artifact", f"{len(built.artifact) / 1e6:.1f} MB"],
        ["export and comparison", f"{build_seconds:.1f} s"],
        ["load and golden samples", f"{load:.2f} s"],
        ["peak memory", f"{peak:.0f} MB"],
        ["one request, median", f"{statistics.median(times) * 1000:.2f} ms"],
    ]
    print(tabulate(rows, tablefmt="github"))


if __name__ == "__main__":
    main()
