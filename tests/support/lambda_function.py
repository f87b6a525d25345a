"""The Lambda package, built and run on the runtime emulator."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from deployment.emulator.function import Function, remove_package, unpack_package
from tests.support.paths import APP, ROOT
from tests.support.processes import Process

StartFunction = Callable[..., Function]

# Two samples of the wine data, of classes 0 and 1.
TWO_WINES = [
    [13.2, 1.78, 2.14, 11.2, 100, 2.65, 2.76, 0.26, 1.28, 4.38, 1.05, 3.4, 1050],
    [12.37, 0.94, 1.36, 10.6, 88, 1.98, 0.57, 0.28, 0.42, 1.95, 1.05, 1.82, 520],
]


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def make_package(stage: str) -> Path:
    """Run `make package` for a stage and return the folder that it writes to."""
    process = Process("package", f"STAGE={stage}")
    assert process.wait() == 0, process.printed
    process.stop()
    return ROOT / "dist" / stage


def copy_project(destination: Path) -> Path:
    """Copy the Chalice project without byte code and deployments."""
    ignored = shutil.ignore_patterns("__pycache__", "deployed", "deployments")
    return shutil.copytree(APP, destination, ignore=ignored, copy_function=shutil.copyfile)


def copy_shared_object(destination: Path) -> Path:
    """Copy obstore's library, which is built for this machine."""
    spec = find_spec("obstore._obstore")
    assert spec is not None
    assert spec.origin is not None
    return Path(shutil.copyfile(spec.origin, destination))


@pytest.fixture
def start_function() -> Iterator[StartFunction]:
    """Start functions that stop after the test."""
    functions = []

    def start(code: Path, **environment: str) -> Function:
        functions.append(Function(code, environment))
        return functions[-1]

    yield start
    for function in functions:
        function.stop()


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Path]]:
    """Unzip packages to read-only folders."""
    folders = []

    def unpack(package: Path) -> Path:
        folders.append(unpack_package(package, tmp_path_factory.mktemp("task") / "task"))
        return folders[-1]

    yield unpack
    for folder in folders:
        remove_package(folder)


@pytest.fixture(scope="session")
def package() -> Path:
    """The package of stage dev."""
    return make_package("dev") / "deployment.zip"


@pytest.fixture(scope="module")
def code(package: Path, unpacked: Callable[[Path], Path]) -> Path:
    """The package, unzipped."""
    return unpacked(package)
