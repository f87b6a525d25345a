"""Call a model in a process with the imports of a function on Lambda."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.packages import ROOT

_SERVE = """
import json, re, sys, time
from chalicelib.protocols.classify import classify, read_classify_request
from chalicelib.models.model import load_model

artifact, one, many = (open(path, "rb").read() for path in sys.argv[1:4])
requests, rows = map(int, sys.argv[4:])

def memory():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1]) / 1e3

start = time.perf_counter()
model = load_model(artifact)
load = time.perf_counter() - start
times = []
for _ in range(requests):
    start = time.perf_counter()
    classify(read_classify_request(one, {}), model, max_rows=1)
    times.append(time.perf_counter() - start)
idle = memory()
classify(read_classify_request(many, {}), model, max_rows=rows)
print(json.dumps([load, times, idle, memory()]))
"""


class ServedModel(NamedTuple):
    """What requests to a model take."""

    load_seconds: float  # with the golden samples
    one_row_ms: float  # median
    idle_mb: float  # peak memory before the large request
    peak_mb: float


def serve(artifact: bytes, rows: list[Any], *, requests: int) -> ServedModel:
    """Send requests with the first of some rows, then one with all of them."""
    with tempfile.TemporaryDirectory() as folder:
        contents = {
            "artifact": artifact,
            "one": json.dumps({"data": [rows[0]]}).encode(),
            "many": json.dumps({"data": rows}).encode(),
        }
        paths = [Path(folder, name) for name in contents]
        for path, content in zip(paths, contents.values(), strict=True):
            path.write_bytes(content)
        command = [sys.executable, "-c", _SERVE, *map(str, paths), str(requests), str(len(rows))]
        output = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=ROOT
        ).stdout
    load, times, idle, peak = json.loads(output)
    return ServedModel(load, statistics.median(times) * 1e3, idle, peak)
