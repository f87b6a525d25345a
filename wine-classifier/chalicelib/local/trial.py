"""A trial of a model in a process of its own, before this process loads it.

A file that its audit wrongly accepts may crash the process that loads it, never end, or take all
memory. The process of a trial has limits, and no secrets in its environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, cast, get_args

from chalicelib.errors import InvalidArtifact, Reason
from chalicelib.models.artifact import read_footer
from chalicelib.models.model import load_model
from chalicelib.runtimes.onnx_capi import OnnxRuntimeError

MAX_SECONDS = 60
# Address space, of which the libraries take a part; and for each byte of the artifact.
MAX_BYTES = 2_000_000_000
MAX_BYTES_PER_BYTE = 20

_ROOT = Path(__file__).parents[2]
_SECRET_PREFIXES = ("AWS_", "MODEL_")
_MAX_DETAIL_CHARACTERS = 300


class Trial:
    """Tries each artifact once: one that passed is not tried again."""

    def __init__(self, max_seconds: float = MAX_SECONDS) -> None:
        self._max_seconds = max_seconds
        self._passed: set[str] = set()  # hashes, which the caller has verified

    def __call__(self, artifact: bytes) -> None:
        """Raise `InvalidArtifact` if a process cannot load an artifact and prove its model."""
        sha256 = read_footer(artifact).sha256
        if sha256 not in self._passed:
            try_model(artifact, self._max_seconds)
            self._passed.add(sha256)


def try_model(artifact: bytes, max_seconds: float = MAX_SECONDS) -> None:
    """Load an artifact and check its golden samples in a process of its own.

    Raises `InvalidArtifact` if the process rejects it, crashes, takes too much memory or does not
    end in time.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_SECRET_PREFIXES)
    }
    python_path = os.pathsep.join(filter(None, [str(_ROOT), environment.get("PYTHONPATH")]))
    try:
        process = subprocess.run(  # noqa: S603
            [sys.executable, "-W", "ignore", "-P", "-m", __name__, str(int(max_seconds))],
            input=artifact,
            capture_output=True,
            # OpenBLAS reserves address space for each thread.
            env=environment | {"PYTHONPATH": python_path, "OPENBLAS_NUM_THREADS": "1"},
            timeout=max_seconds,
        )
    except subprocess.TimeoutExpired:
        _reject(f"did not end within {max_seconds:g} seconds")
    if process.returncode:
        _reject(f"ended with the exit code {process.returncode}")
    if process.stdout:
        _raise_reported(process.stdout)


def _raise_reported(report: bytes) -> NoReturn:
    """Raise the error of the process, in which the model may have done anything."""
    with suppress(ValueError, RecursionError):
        match json.loads(report):
            case [str(reason), str(detail)] if reason in get_args(Reason):
                raise InvalidArtifact(cast(Reason, reason), detail[:_MAX_DETAIL_CHARACTERS])
    _reject("wrote something else than a report")


def _reject(reason: str) -> NoReturn:
    raise InvalidArtifact("failed trial", f"A process that loaded the model {reason}.")


def main() -> None:
    """Load the artifact on the standard input, within limits; write a report if that fails."""
    artifact = sys.stdin.buffer.read()
    max_bytes = MAX_BYTES + MAX_BYTES_PER_BYTE * len(artifact)
    _limit_resources(max_bytes, int(sys.argv[1]))
    try:
        load_model(artifact)
    except InvalidArtifact as error:
        reason, detail = error.reason, str(error)
        cause = error.__cause__
        if isinstance(cause, MemoryError | OnnxRuntimeError) and "alloc" in str(cause):
            reason = "failed trial"
            detail = f"A process that loaded the model had too little memory: {max_bytes:,} bytes."
        print(json.dumps([reason, detail]))


def _limit_resources(max_bytes: int, max_seconds: int) -> None:
    """Limit memory and processor time, where the platform can, and write no core file."""
    with suppress(ImportError):
        import resource

        for kind, limit in (
            (resource.RLIMIT_AS, max_bytes),
            (resource.RLIMIT_CPU, max_seconds + 1),  # should this process outlive its parent
            (resource.RLIMIT_CORE, 0),
        ):
            with suppress(ValueError, OSError):  # macOS, or a lower limit already
                resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    main()
