"""Packages on the Lambda runtime emulator, and what they are asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployment.emulator.function import Function, remove_package, unpack_package
from tests.support.paths import ROOT
from tests.support.processes import Process

StartFunction = Callable[..., Function]

# Two wines of the data set, of classes 0 and 1.
TWO_WINES = [
    [13.2, 1.78, 2.14, 11.2, 100, 2.65, 2.76, 0.26, 1.28, 4.38, 1.05, 3.4, 1050],
    [12.37, 0.94, 1.36, 10.6, 88, 1.98, 0.57, 0.28, 0.42, 1.95, 1.05, 1.82, 520],
]


def digests(folder: Path) -> dict[str, str]:
    """Tell what a folder holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def start_function() -> Iterator[StartFunction]:
    """Start functions, which stop when the test is done."""
    functions = []

    def start(code: Path, **environment: str) -> Function:
        functions.append(Function(code, environment))
        return functions[-1]

    yield start
    for function in functions:
        function.stop()


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Path]]:
    """Unzip packages to folders that are closed for writing."""
    folders = []

    def unpack(package: Path) -> Path:
        folders.append(unpack_package(package, tmp_path_factory.mktemp("task") / "task"))
        return folders[-1]

    yield unpack
    for folder in folders:
        remove_package(folder)


@pytest.fixture(scope="session")
def package() -> Path:
    """What `make package STAGE=dev` writes."""
    process = Process("package", "STAGE=dev")
    assert process.wait() == 0, process.printed
    process.stop()
    return ROOT / "dist" / "dev" / "deployment.zip"


@pytest.fixture(scope="module")
def code(package: Path, unpacked: Callable[[Path], Path]) -> Path:
    """The package, unzipped."""
    return unpacked(package)
