"""What a package is made for: the kinds of function that Lambda has, and its limits."""

from __future__ import annotations

import sys
from typing import NamedTuple

from deployment.errors import PackagingError

# Of Amazon Linux 2023, which runs python3.12 and later:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
GLIBC = (2, 34)
OLDEST_GLIBC = (2, 17)  # the oldest that a wheel in use today may be made for

# Chalice makes the function's runtime that of the Python which runs it.
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
RUNTIME = f"python{PYTHON}"

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
UPLOAD_BYTES = 52_428_800
UNZIPPED_BYTES = 262_144_000


class Architecture(NamedTuple):
    """A kind of processor that Lambda has.

    Parameters
    ----------
    name : str
        As Lambda calls it.
    machine : str
        As wheels call it.
    elf_machine : int
        As shared objects call it: ``e_machine``, see elf(5).
    """

    name: str
    machine: str
    elf_machine: int

    @property
    def platforms(self) -> list[str]:
        """The platform tags of the wheels that run there (PEP 600), the newest first."""
        major, newest = GLIBC
        minors = range(newest, OLDEST_GLIBC[1] - 1, -1)
        return [f"manylinux_{major}_{minor}_{self.machine}" for minor in minors] + [
            f"manylinux2014_{self.machine}"
        ]


class Runtime(NamedTuple):
    """What runs the models.

    Parameters
    ----------
    name : str
        As in a model's manifest.
    requirements : str
        The file that pins what it needs, from the project's root.
    zipped_bytes, unzipped_bytes : int
        How large its package may be.
    """

    name: str
    requirements: str
    zipped_bytes: int
    unzipped_bytes: int

    @property
    def goes_through_s3(self) -> bool:
        """Whether the package may be too large to be sent to Lambda itself."""
        return self.zipped_bytes > UPLOAD_BYTES


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


def architecture(name: str) -> Architecture:
    """Find a kind of processor by the name that Lambda has for it.

    Parameters
    ----------
    name : str

    Returns
    -------
    Architecture

    Raises
    ------
    PackagingError
        If Lambda has none of that name.
    """
    if name not in ARCHITECTURES:
        raise PackagingError(f"Lambda has no architecture {name}: ARCH is x86_64 or arm64.")
    return ARCHITECTURES[name]


def runtime(name: str) -> Runtime:
    """Find what runs models by its name.

    Parameters
    ----------
    name : str

    Returns
    -------
    Runtime

    Raises
    ------
    PackagingError
        If there is none of that name.
    """
    if name not in RUNTIMES:
        raise PackagingError(f"There is no runtime {name}: RUNTIME is onnx or sklearn.")
    return RUNTIMES[name]
