"""The memory and the time that a model takes, measured before it is published."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import chalicelib
from chalicelib.errors import InvalidArtifact
from chalicelib.inputs.samples import Samples
from chalicelib.local.speed import measure_row_seconds
from chalicelib.models.artifact import read_manifest
from chalicelib.models.manifest import Manifest
from chalicelib.models.memory import MB, MEASURED_BYTES
from chalicelib.models.model import load_model
from chalicelib.models.row_limit import describe_time, max_samples
from chalicelib.settings import Settings

_MAX_SECONDS = 600
_ROOT = Path(chalicelib.__file__).parents[1]

# On Linux getrusage would include the peak of the process that started this one.
_MEASURE = """
import contextlib, json, re, resource, sys
from array import array
import obstore
import chalicelib.protocols.classify
from chalicelib.errors import InvalidArtifact
from chalicelib.inputs.samples import Samples
from chalicelib.models.model import load_model

with contextlib.suppress(ImportError):  # not needed where models are fitted
    import chalice.app

def memory(field):
    if sys.platform == "linux":
        with open("/proc/self/status") as status:
            return int(re.search(rf"{field}:\\s+(\\d+) kB", status.read())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

idle = memory("VmHWM")
try:
    with open(sys.argv[1], "rb") as file:
        model = load_model(file.read())
except InvalidArtifact as error:
    print(json.dumps(str(error)))
else:
    report = [idle, memory("VmHWM"), memory("VmRSS")]
    from chalicelib.local.speed import measure_row_seconds

    with open(sys.argv[2]) as file:
        rows, numbers, texts = json.load(file)
    samples = Samples(rows, array("d", numbers), texts)
    print(json.dumps([*report, measure_row_seconds(model.classifier, samples)]))
"""

LOG = logging.getLogger(__name__)


def measure(artifact: bytes, samples: Samples) -> dict[str, Any]:
    """Load an artifact, check its golden samples, and measure what the model takes.

    A large artifact is loaded in a process of its own, like a server's.

    Parameters
    ----------
    artifact : bytes
    samples : Samples
        What the model's time is measured with.

    Returns
    -------
    dict
        The manifest's ``row_seconds``, of CPU time for a sample. Of a large artifact, its
        ``memory`` in megabytes, at most: ``idle`` before, ``load`` while the model is loaded and
        verified, ``swap`` while another of the same size is loaded beside it, which is computed as
        a server does.

    Raises
    ------
    InvalidArtifact
        If the artifact is rejected, or the process ends in a crash, or does not end.
    """
    if len(artifact) < MEASURED_BYTES:
        row_seconds = measure_row_seconds(load_model(artifact).classifier, samples)
        return {"row_seconds": _round(row_seconds)}
    *sizes, row_seconds = _measure_process(artifact, samples)
    idle, load, loaded = (-(-size // MB) for size in sizes)
    memory = {"idle": idle, "load": load, "swap": loaded + load - idle}
    return {"memory": memory, "row_seconds": _round(row_seconds)}


def warn_if_slow(artifact: bytes) -> None:
    """Log how many samples a request may hold, if the time of the model bounds them."""
    manifest, settings = Manifest.from_document(read_manifest(artifact)), Settings("")
    limit, usual = max_samples(manifest, settings), settings.max_samples(manifest.signature.width)
    if limit < usual:
        LOG.warning(
            "a request may hold %s samples, not %s: %s; MODEL_MAX_SECONDS of a server allows more",
            f"{limit:,}",
            f"{usual:,}",
            describe_time(manifest),
        )


def _measure_process(artifact: bytes, samples: Samples) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        path, data = Path(folder, "artifact"), Path(folder, "samples")
        path.write_bytes(artifact)
        data.write_text(json.dumps([samples.rows, samples.numbers.tolist(), samples.texts]))
        try:
            process = subprocess.run(  # noqa: S603
                [sys.executable, "-W", "ignore", "-c", _MEASURE, str(path), str(data)],
                capture_output=True,
                env=os.environ | {"PYTHONPATH": str(_ROOT)},
                timeout=_MAX_SECONDS,
                check=True,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise InvalidArtifact(
                "failed trial", "A process that loads the model crashes, or does not end."
            ) from error
    report = json.loads(process.stdout)
    if isinstance(report, str):
        raise InvalidArtifact("failed trial", report)
    measured: list[Any] = report
    return measured


def _round(seconds: float) -> float:
    return float(f"{seconds:.3g}")
