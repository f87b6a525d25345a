"""The memory that a model takes in a function, measured in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import chalicelib
from chalicelib.errors import InvalidArtifact
from chalicelib.local.trial import try_model
from chalicelib.models.artifact import read_manifest
from chalicelib.models.memory import MB, MEASURED_BYTES
from training.errors import NotServable

DEFAULT_MEMORY_MB = 512
_MAX_SECONDS = 600
_ROOT = Path(chalicelib.__file__).parents[1]

# On Linux getrusage would include the peak of the process that started this one.
_MEASURE = """
import contextlib, json, re, resource, sys
import obstore
import chalicelib.protocols.classify
from chalicelib.errors import InvalidArtifact
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
    print(json.dumps([idle, memory("VmHWM"), memory("VmRSS")]))
"""

LOG = logging.getLogger(__name__)


def measure_memory(artifact: bytes) -> dict[str, int] | None:
    """Measure a process like a server's that loads an artifact and checks its golden samples.

    Returns
    -------
    dict of str to int, or None
        Megabytes at most: ``idle`` before, ``load`` while the model is loaded and verified,
        ``swap`` while another of the same size is loaded beside it, which is computed as a server
        does. None for a small artifact, which is not loaded.

    Raises
    ------
    InvalidArtifact
        If the process rejects the artifact, ends in a crash, or does not end.
    """
    if len(artifact) < MEASURED_BYTES:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "artifact")
        path.write_bytes(artifact)
        try:
            process = subprocess.run(  # noqa: S603
                [sys.executable, "-W", "ignore", "-c", _MEASURE, str(path)],
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
    idle, load, loaded = (-(-each // MB) for each in report)
    return {"idle": idle, "load": load, "swap": loaded + load - idle}


def stage_memory(stage: str) -> int:
    """Return the memory, in MB, that `.chalice/config.json` gives a stage's function."""
    path = _ROOT / ".chalice" / "config.json"
    if not path.exists():  # installed as a library
        return DEFAULT_MEMORY_MB
    config = json.loads(path.read_text())
    settings = config | config.get("stages", {}).get(stage, {})
    return int(settings.get("lambda_memory_size", DEFAULT_MEMORY_MB))


def check_memory(artifact: bytes, memory_mb: int) -> None:
    """Raise `NotServable` if a function with so much memory cannot load an artifact.

    Warn if it cannot load the next model of this size beside it. A small artifact, which was not
    measured, is loaded in a process of its own here.
    """
    memory = read_manifest(artifact).get("memory")
    if not memory:
        try:
            try_model(artifact, _MAX_SECONDS)
        except InvalidArtifact as error:
            raise NotServable(f"A server cannot load the model: {error}") from error
        return
    if memory["load"] > memory_mb:
        raise NotServable(
            f"Loading the model takes {memory['load']:,} MB of memory, and the function has "
            f"{memory_mb:,} MB: fit a smaller model (fewer or shallower trees, fewer terms), or "
            "raise lambda_memory_size and pass --memory."
        )
    if memory["swap"] > memory_mb:
        LOG.warning(
            "a running function takes %s MB to replace the model by one of this size, over %s MB: "
            "it drops the old model first, and requests wait meanwhile",
            f"{memory['swap']:,}",
            f"{memory_mb:,}",
        )
