"""The memory that a model needs, as its publisher measured it, and that this process has."""

from __future__ import annotations

import os

from chalicelib.errors import InvalidArtifact
from chalicelib.models.manifest import Manifest

# A smaller artifact is not measured: it fits into any function.
MEASURED_BYTES = 1_000_000
MB = 1024 * 1024  # as Lambda counts


def check_fits(manifest: Manifest, memory_mb: int | None, beside_mb: int = 0) -> None:
    """Raise `InvalidArtifact` if a process with so much memory cannot load a model.

    `beside_mb` is what the process keeps beside it. A model that was not measured, and a process
    without a limit, are not checked.
    """
    need = manifest.memory
    if need and memory_mb and need.load + beside_mb > memory_mb:
        raise InvalidArtifact(
            "over memory",
            f"Loading the model takes {need.load + beside_mb:,} MB of memory; the function has "
            f"{memory_mb:,} MB.",
        )


def fits_beside(manifest: Manifest, memory_mb: int | None) -> bool:
    """Return whether this process can load a model beside what it holds now."""
    need = manifest.memory
    if need is None or memory_mb is None:
        return True
    return _resident_mb() + need.load - need.idle <= memory_mb


def release_free_memory() -> None:
    """Return to the system what loading a large model has freed, where the C library can."""
    import ctypes  # ONNX Runtime's interface has imported it

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim is not None:
        trim(0)


def _resident_mb() -> int:
    with open("/proc/self/statm") as file:  # Lambda is Linux
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // MB
