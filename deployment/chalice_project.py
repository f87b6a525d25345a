"""Run Chalice on a copy of the project, with the lean package in Chalice's cache of packages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chalice.deploy.packager import (
    AppOnlyDeploymentPackager,
    DependencyBuilder,
    LambdaDeploymentPackager,
)
from chalice.utils import UI, OSUtils

from deployment.errors import PackagingError
from deployment.target import PYTHON_RUNTIME, Architecture

PLACEHOLDER = "YOUR-BUCKET"
DEFAULT_NAME = "wine"  # the prefix in `.chalice/`; another name replaces it, and the app's name
# A name of a CloudFormation stack, short enough to be a function's with `-prod` after it:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,49}")
_ORIGIN = r"\s*https?://[^\s,'\"/*?#@\\]+\s*"
_ORIGINS = re.compile(rf"\s*\*\s*|{_ORIGIN}(,{_ORIGIN})*", re.ASCII)
_PACKAGING_COMMANDS = ("package", "deploy")
_REUSED = "Reusing existing deployment package."
# The copy has no byte code, which is part of the hash that names Chalice's package. It links to
# `deployed`, so that plain `chalice` sees the same deployments.
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "deployments", "deployed")


class _SilentUI(UI):
    def write(self, msg: str) -> None:
        """Print nothing."""


class Project:
    """A copy of a Chalice project, for one stage and one architecture."""

    def __init__(
        self,
        folder: Path,
        stage: str,
        target: Architecture,
        cors_origins: str = "",
        *,
        bulk: bool = False,
    ) -> None:
        self.folder = folder
        self.bulk = bulk
        self.cors_origins = cors_origins
        self._stage = stage
        self._target = target

    def unpack_app(self, folder: Path) -> None:
        """Write the app, its `vendor/` files and Chalice's runtime to a folder."""
        packager = self._packager(AppOnlyDeploymentPackager)
        package = packager.create_deployment_package(self.folder, PYTHON_RUNTIME)
        with zipfile.ZipFile(package) as archive:
            archive.extractall(folder)
        if (self.folder / "vendor").is_dir():
            shutil.copytree(self.folder / "vendor", folder, dirs_exist_ok=True)

    def install_package(self, package: Path) -> None:
        """Copy a package to the path where Chalice looks for one to reuse."""
        packager = self._packager(LambdaDeploymentPackager)
        path = packager.deployment_package_filename(str(self.folder), PYTHON_RUNTIME)
        shutil.copyfile(package, path)

    def run_chalice(self, *arguments: str) -> str:
        """Run a Chalice command for the stage, and return its output.

        Raises `PackagingError` if the command fails, or packages the app again instead of
        reusing the installed package.
        """
        chalice = str(Path(sys.executable).with_name("chalice"))
        environment = {"AWS_DEFAULT_REGION": "us-east-1"} | os.environ
        environment.pop("MODEL_NAME", None)  # Chalice sets the stage's before it imports the app
        environment["BULK"] = "yes" if self.bulk else ""
        process = subprocess.run(
            [chalice, *arguments, "--stage", self._stage],
            cwd=self.folder,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if process.returncode:
            print(process.stdout, file=sys.stderr)
            raise PackagingError(f"chalice {arguments[0]} failed.")
        if arguments[0] in _PACKAGING_COMMANDS and _REUSED not in process.stdout:
            raise PackagingError(f"chalice {arguments[0]} did not use the lean package.")
        return process.stdout

    def _packager(self, packager_class: Any) -> Any:
        osutils = OSUtils()
        builder = DependencyBuilder(osutils, architecture=self._target.name)
        return packager_class(osutils, builder, _SilentUI(), architecture=self._target.name)


@contextmanager
def temporary_copy(
    original: Path,
    stage: str,
    target: Architecture,
    requirements: Path,
    bucket: str | None,
    name: str = DEFAULT_NAME,
    cors_origins: str | None = None,
    *,
    bulk: bool = False,
) -> Iterator[Project]:
    """Copy a Chalice project to a temporary folder, configured for a stage and an architecture.

    Parameters
    ----------
    original : Path
        The project's folder.
    stage : str
        The Chalice stage.
    target : Architecture
        The function's architecture; overrides the configuration.
    requirements : Path
        Replaces the project's requirements.txt.
    bucket : str, optional
        Replaces `PLACEHOLDER` in the configuration.
    name : str, default=DEFAULT_NAME
        Another name replaces the app's name and the prefix of the model store, and has deployments
        of its own.
    cors_origins : str, optional
        The stage's ``CORS_ORIGINS``.
    bulk : bool, default=False
        Whether the app has the function that scores files.

    Yields
    ------
    Project

    Raises
    ------
    PackagingError
        If the project has no such stage, the name is not one for a stack, or what is in
        ``CORS_ORIGINS`` is no origin.
    """
    deployed = original / ".chalice" / "deployed"
    if name != DEFAULT_NAME:
        _check_name(name)
        deployed /= name
    deployed.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, original.name)
        shutil.copytree(original, folder, ignore=_NOT_COPIED)
        shutil.copyfile(requirements, folder / "requirements.txt")
        for path in (folder / ".chalice").glob("*.json"):
            if bucket:
                path.write_text(path.read_text().replace(PLACEHOLDER, bucket))
        variables = _configure(folder / ".chalice" / "config.json", stage, target, cors_origins)
        if name != DEFAULT_NAME:
            _rename(folder / ".chalice", stage, name)
        (folder / ".chalice" / "deployments").mkdir()
        (folder / ".chalice" / "deployed").symlink_to(deployed.resolve())
        yield Project(folder, stage, target, variables.get("CORS_ORIGINS", ""), bulk=bulk)


def _configure(
    path: Path, stage: str, target: Architecture, cors_origins: str | None
) -> dict[str, str]:
    """Write the stage's configuration, and return its environment variables."""
    config = json.loads(path.read_text())
    if stage not in config["stages"]:
        stages = ", ".join(config["stages"])
        raise PackagingError(f"There is no stage {stage}: STAGE is one of {stages}.")
    config["stages"][stage]["lambda_architecture"] = target.name
    variables: dict[str, str] = config["stages"][stage].setdefault("environment_variables", {})
    if cors_origins:
        variables["CORS_ORIGINS"] = cors_origins
    _check_origins(variables.get("CORS_ORIGINS", ""))
    path.write_text(json.dumps(config, indent=2))
    return variables


def _check_origins(origins: str) -> None:
    if origins.strip() and not _ORIGINS.fullmatch(origins):
        raise PackagingError(
            "CORS_ORIGINS must be origins such as https://example.org, separated by commas, or *."
        )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise PackagingError(
            f"NAME is {name!r}; it must be a letter, then up to 49 letters, digits and hyphens."
        )


def _rename(folder: Path, stage: str, name: str) -> None:
    """Replace the app's name and the prefix of the model store in the files of `.chalice/`."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    log = re.compile(rf"(?<=/aws/lambda/){re.escape(config['app_name'])}(?=-)")
    prefix = re.compile(rf'(?<=/){DEFAULT_NAME}(?=[/"])|(?<="){DEFAULT_NAME}(?=/)')
    config["app_name"] = name
    config["stages"][stage]["environment_variables"]["MODEL_NAME"] = name
    path.write_text(json.dumps(config, indent=2))
    for file in folder.glob("*.json"):
        file.write_text(prefix.sub(name, log.sub(name, file.read_text())))
