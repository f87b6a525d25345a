"""The packages that are compared, built as their users would build them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from shipping.archive import Size, write_zip
from shipping.emulator import unpack_package
from shipping.target import architecture
from shipping.wheels import fetch, unpack

HERE = Path(__file__).parent
ROOT = HERE.parent
CACHE = ROOT / "dist" / ".benchmark"


class Package(NamedTuple):
    """A package that is measured.

    Parameters
    ----------
    name : str
        What it is.
    code : Path
        Where it is unpacked.
    size : Size
        In bytes.
    handler : str
        What answers events.
    path : str
        Where the request goes to.
    body : object
        The request.
    """

    name: str
    code: Path
    size: Size
    handler: str = "app.app"
    path: str = "/classify"
    body: object = {"data": ".10"}


def build_all(folder: Path) -> list[Package]:
    """Build and unpack the packages.

    Parameters
    ----------
    folder : Path
        Where they are unpacked.

    Returns
    -------
    list of Package
        Chalice's hello world first, ours last.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    return [
        _unpacked("Chalice, hello world", _chalice("hello"), folder / "hello")._replace(
            path="/", body=None
        ),
        _unpacked("the tutorial's handler", _chalice("tutorial"), folder / "tutorial"),
        _unpacked("FastAPI, Mangum, joblib", _fastapi(), folder / "fastapi")._replace(
            handler="app.handler"
        ),
        _unpacked("this project", _ours(), folder / "ours"),
    ]


def _unpacked(name: str, package: Path, folder: Path) -> Package:
    code = unpack_package(package, folder)
    unzipped = sum(path.stat().st_size for path in code.rglob("*") if path.is_file())
    return Package(name, code, Size(package.stat().st_size, unzipped))


def _chalice(name: str) -> Path:
    """Package a Chalice project with plain Chalice, unless nothing has changed since."""
    package = CACHE / f"{name}.zip"
    sources = [HERE / name / "app.py", HERE / name / "requirements.txt"]
    if not package.exists() or any(newer(path, package) for path in sources):
        with tempfile.TemporaryDirectory() as scratch:
            project = Path(scratch, name)
            shutil.copytree(HERE / name, project, ignore=shutil.ignore_patterns("__pycache__"))
            chalice = str(Path(sys.executable).with_name("chalice"))
            subprocess.run(
                [chalice, "package", "../out"],
                cwd=project,
                env={"AWS_DEFAULT_REGION": "us-east-1"} | os.environ,
                check=True,
                capture_output=True,
            )
            shutil.copyfile(Path(scratch, "out", "deployment.zip"), package)
    return package


def newer(path: Path, other: Path) -> bool:
    """Tell whether a file was changed after another one.

    Parameters
    ----------
    path, other : Path

    Returns
    -------
    bool
    """
    return path.stat().st_mtime > other.stat().st_mtime


def _fastapi() -> Path:
    package = CACHE / "fastapi.zip"
    requirements = HERE / "fastapi_app" / "requirements.txt"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        unpack(fetch(requirements, architecture("x86_64"), ROOT / "dist" / ".wheels"), folder)
        shutil.copyfile(HERE / "fastapi_app" / "app.py", folder / "app.py")
        write_zip(folder, package)
    return package


def _ours() -> Path:
    command = [sys.executable, "-m", "shipping", "package", "--stage", "dev"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return ROOT / "dist" / "dev" / "deployment.zip"
