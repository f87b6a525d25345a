"""Build the packages to compare, as their users would build them."""

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
from deployment.package.bytecode import compile_all
from deployment.package.wheels import fetch, unpack
from deployment.target import get_architecture

HERE = Path(__file__).parent
ROOT = HERE.parent
APPS = HERE / "apps"
CACHE = ROOT / "dist" / ".benchmark"

# All with ONNX Runtime's Python package, byte code, and the model fetched from S3 once, at init.
PEERS = {
    "mlflow": "MLflow's server, Mangum",
    "bentoml": "BentoML's server, Mangum",
    "fastapi": "FastAPI, Mangum",
    "powertools": "Powertools for AWS Lambda",
    "bare": "a bare handler",
}


class Request(NamedTuple):
    """A request to measure: a POST, or a GET without a body."""

    path: str
    body: object = None


class Package(NamedTuple):
    """A package to measure, unpacked."""

    name: str
    code: Path
    size: Size
    request: Request = Request("/classify", {"data": ".10"})
    handler: str = "app.app"
    variables: Mapping[str, str] = {}  # added to the common environment variables


class Packages(NamedTuple):
    """The packages to compare."""

    hello: Package
    tutorial: Package
    mlflow: Package
    bentoml: Package
    fastapi: Package
    powertools: Package
    bare: Package  # a handler without a framework
    this_project: Package
    json_only: Package  # a parse-only route, the baseline for one sample

    @property
    def services(self) -> list[Package]:
        """The packages in the main table; this project is the last one."""
        return [package for package in self if package is not self.json_only]


def build_all(folder: Path) -> Packages:
    """Build the packages and unpack them to a folder."""
    CACHE.mkdir(parents=True, exist_ok=True)
    hello = unpack_named("Chalice, hello world", _package_chalice("hello"), folder / "hello")
    peers = {}
    for name, title in PEERS.items():
        peer = unpack_named(title, _package_peer(name), folder / name)
        peers[name] = peer._replace(handler="app.handler")
    return Packages(
        hello=hello._replace(request=Request("/")),
        tutorial=unpack_named(
            "the tutorial's handler", _package_chalice("tutorial"), folder / "tutorial"
        ),
        mlflow=peers["mlflow"]._replace(
            request=Request("/invocations", {"inputs": [[0.1] * 13]}),  # null is not NaN there
            variables={"MLFLOW_DISABLE_TELEMETRY": "true"},
        ),
        bentoml=peers["bentoml"]._replace(variables={"BENTOML_DO_NOT_TRACK": "true"}),
        fastapi=peers["fastapi"],
        powertools=peers["powertools"],
        bare=peers["bare"],
        this_project=unpack_named("this project", package_this_project(), folder / "this_project"),
        json_only=unpack_named(
            "a parse-only route", _package_chalice("json_only"), folder / "json_only"
        ),
    )


def unpack_named(name: str, package: Path, folder: Path) -> Package:
    """Unpack a package to a folder, under a name for the report."""
    code = unpack_package(package, folder)
    unzipped = sum(path.stat().st_size for path in code.rglob("*") if path.is_file())
    return Package(name, code, Size(package.stat().st_size, unzipped))


def _package_chalice(name: str) -> Path:
    """Package an app with plain Chalice, unless its sources are unchanged."""
    package = CACHE / f"{name}.zip"
    sources = [APPS / name / "app.py", APPS / name / "requirements.txt"]
    if not package.exists() or any(_is_newer(path, package) for path in sources):
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


def _is_newer(path: Path, other: Path) -> bool:
    """Return whether a file was modified after another one."""
    return path.stat().st_mtime > other.stat().st_mtime


def _package_peer(name: str) -> Path:
    """Package an app with its wheels and their byte code, unless its sources are unchanged."""
    package = CACHE / f"{name}.zip"
    requirements = APPS / name / "requirements.txt"
    modules = [APPS / name / "app.py", APPS / "model.py"]
    if not package.exists() or any(_is_newer(path, package) for path in [requirements, *modules]):
        wheels = fetch(requirements, get_architecture("x86_64"), ROOT / "dist" / ".wheels")
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            unpack(wheels, folder)
            for module in modules:
                shutil.copy(module, folder)
            compile_all(folder)
            incomplete = package.with_suffix(".tmp")
            write_zip(folder, incomplete)
            incomplete.rename(package)
    return package


def package_this_project() -> Path:
    """Build this project's package, and return its path."""
    command = [sys.executable, "-m", "deployment", "package", "--stage", "dev"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return ROOT / "dist" / "dev" / "deployment.zip"
