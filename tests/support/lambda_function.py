"""The Lambda package, built and run on the runtime emulator."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path

from deployment.emulator.function import Function
from tests.support.once import lock, make_once
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


def make_package(stage: str, shared_folder: Path, *, bulk: bool = False) -> Path:
    """Return a copy of the folder that `make package` writes for a stage, once in a test run."""
    variables = [f"STAGE={stage}", *(["BULK=yes"] if bulk else [])]

    def make(folder: Path) -> None:
        with lock_dist(shared_folder), Process("package", *variables) as process:
            assert process.wait(100) == 0, process.printed
            shutil.copytree(ROOT / "dist" / stage, folder)

    return make_once(shared_folder / f"package-{stage}{'-bulk' if bulk else ''}", make)


def lock_dist(shared_folder: Path) -> AbstractContextManager[None]:
    """Keep other processes of the test run from writing a package to `dist`."""
    return lock(shared_folder / "dist.lock")


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
