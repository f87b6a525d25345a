"""The packages that are compared, built as their users would build them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from deployment.emulator.function import unpack_package
from deployment.package.archive import Size, write_zip
from deployment.package.wheels import fetch, unpack
from deployment.target import architecture

HERE = Path(__file__).parent
ROOT = HERE.parent
APPS = HERE / "apps"
CACHE = ROOT / "dist" / ".benchmark"


class Request(NamedTuple):
    """A request that is measured.

    Parameters
    ----------
    path : str
        Where it goes to.
    body : object, optional
        What is posted; it is a GET if there is nothing.
    """

    path: str
    body: object = None


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
    request : Request
        What it is asked.
    handler : str
        What answers events.
    variables : mapping of str to str
        Of its environment, beside those that all have.
    """

    name: str
    code: Path
    size: Size
    request: Request = Request("/classify", {"data": ".10"})
    handler: str = "app.app"
    variables: Mapping[str, str] = {}


class Packages(NamedTuple):
    """The packages that are compared.

    Parameters
    ----------
    hello, tutorial, fastapi, ours : Package
        Services, from the least that Chalice serves to this project.
    json_only : Package
        A route that parses its body and answers: what one sample is compared with.
    """

    hello: Package
    tutorial: Package
    fastapi: Package
    ours: Package
    json_only: Package

    @property
    def services(self) -> list[Package]:
        """Those that stand in the table."""
        return [self.hello, self.tutorial, self.fastapi, self.ours]


def build_all(folder: Path) -> Packages:
    """Build and unpack the packages.

    Parameters
    ----------
    folder : Path
        Where they are unpacked.

    Returns
    -------
    Packages
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    hello = _unpacked("Chalice, hello world", _chalice("hello"), folder / "hello")
    fastapi = _unpacked("FastAPI, Mangum, joblib", _fastapi(), folder / "fastapi")
    return Packages(
        hello=hello._replace(request=Request("/")),
        tutorial=_unpacked("the tutorial's handler", _chalice("tutorial"), folder / "tutorial"),
        fastapi=fastapi._replace(handler="app.handler"),
        ours=_unpacked("this project", _ours(), folder / "ours"),
        json_only=_unpacked(
            "a route that only parses", _chalice("json_only"), folder / "json_only"
        ),
    )


def _unpacked(name: str, package: Path, folder: Path) -> Package:
    code = unpack_package(package, folder)
    unzipped = sum(path.stat().st_size for path in code.rglob("*") if path.is_file())
    return Package(name, code, Size(package.stat().st_size, unzipped))


def _chalice(name: str) -> Path:
    """Package a Chalice project with plain Chalice, unless nothing has changed since."""
    package = CACHE / f"{name}.zip"
    sources = [APPS / name / "app.py", APPS / name / "requirements.txt"]
    if not package.exists() or any(newer(path, package) for path in sources):
        with tempfile.TemporaryDirectory() as scratch:
            project = Path(scratch, name)
            shutil.copytree(APPS / name, project, ignore=shutil.ignore_patterns("__pycache__"))
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
    requirements = APPS / "fastapi" / "requirements.txt"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        unpack(fetch(requirements, architecture("x86_64"), ROOT / "dist" / ".wheels"), folder)
        shutil.copyfile(APPS / "fastapi" / "app.py", folder / "app.py")
        write_zip(folder, package)
    return package


def _ours() -> Path:
    command = [sys.executable, "-m", "deployment", "package", "--stage", "dev"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return ROOT / "dist" / "dev" / "deployment.zip"
