"""The targets of a package: Lambda's architectures, the model runtimes and their limits."""

from __future__ import annotations

import sys
from typing import NamedTuple

from deployment.errors import PackagingError

# The glibc of Amazon Linux 2023, which runs python3.12 and later:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
GLIBC = (2, 34)
OLDEST_GLIBC = (2, 17)  # the oldest that today's wheels are built for

# Chalice sets the function's Python to the version that runs Chalice.
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHON_RUNTIME = f"python{PYTHON}"

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
UPLOAD_BYTES = 52_428_800
UNZIPPED_BYTES = 262_144_000


class Architecture(NamedTuple):
    """A processor architecture of Lambda."""

    name: str  # Lambda's name
    machine: str  # the name in wheel tags
    elf_machine: int  # ``e_machine`` in shared objects, see elf(5)

    @property
    def platforms(self) -> list[str]:
        """The platform tags of compatible wheels (PEP 600), the newest first."""
        major, newest = GLIBC
        minors = range(newest, OLDEST_GLIBC[1] - 1, -1)
        return [f"manylinux_{major}_{minor}_{self.machine}" for minor in minors] + [
            f"manylinux2014_{self.machine}"
        ]


class Runtime(NamedTuple):
    """A model runtime, with its requirements and the limits of its package."""

    name: str  # as in a model's manifest
    requirements: str  # the pinned requirements, relative to the repository's root
    max_zipped_bytes: int
    max_unzipped_bytes: int

    @property
    def requires_s3_upload(self) -> bool:
        """Whether the package may be over Lambda's limit for direct uploads."""
        return self.max_zipped_bytes > UPLOAD_BYTES


ARCHITECTURES = {
    "x86_64": Architecture("x86_64", "x86_64", 62),
    "arm64": Architecture("arm64", "aarch64", 183),
}
RUNTIMES = {
    "onnx": Runtime("onnx", "wine-classifier/requirements.txt", 35_000_000, 100_000_000),
    "sklearn": Runtime(
        "sklearn", "deployment/requirements-sklearn.txt", UNZIPPED_BYTES, UNZIPPED_BYTES
    ),
}


def get_architecture(name: str) -> Architecture:
    """Return an architecture by Lambda's name; raise `PackagingError` if there is none."""
    if name not in ARCHITECTURES:
        raise PackagingError(f"Lambda has no architecture {name}: ARCH is x86_64 or arm64.")
    return ARCHITECTURES[name]


def get_runtime(name: str) -> Runtime:
    """Return a model runtime by its name; raise `PackagingError` if there is none."""
    if name not in RUNTIMES:
        raise PackagingError(f"There is no runtime {name}: RUNTIME is onnx or sklearn.")
    return RUNTIMES[name]
