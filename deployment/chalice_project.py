"""Chalice, run on a copy of the project: with a package of ours where it looks for its own."""

from __future__ import annotations

import json
import os
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
from deployment.target import RUNTIME, Architecture

PLACEHOLDER = "YOUR-BUCKET"
_REUSED = "Reusing existing deployment package."
# What a copy leaves out: byte code is part of the hash that names Chalice's package, and what
# was deployed stays where plain `chalice` finds it too.
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "deployments", "deployed")


class _Quiet(UI):
    def write(self, msg: str) -> None:
        """Say nothing."""


class Project:
    """A copy of a Chalice project.

    Parameters
    ----------
    folder : Path
        The copy.
    stage : str
        The Chalice stage.
    target : Architecture
        What the function runs on.
    """

    def __init__(self, folder: Path, stage: str, target: Architecture) -> None:
        self.folder = folder
        self._stage = stage
        self._target = target

    def unpack_app(self, folder: Path) -> None:
        """Lay down what Chalice ships of the app, and of itself.

        Parameters
        ----------
        folder : Path
            Where to.
        """
        packager = self._packager(AppOnlyDeploymentPackager)
        with zipfile.ZipFile(packager.create_deployment_package(self.folder, RUNTIME)) as archive:
            archive.extractall(folder)
        if (self.folder / "vendor").is_dir():
            shutil.copytree(self.folder / "vendor", folder, dirs_exist_ok=True)

    def take(self, package: Path) -> None:
        """Put a package where Chalice looks for the one it made last time.

        Parameters
        ----------
        package : Path
            The zip.
        """
        packager = self._packager(LambdaDeploymentPackager)
        place = packager.deployment_package_filename(str(self.folder), RUNTIME)
        shutil.copyfile(package, place)

    def run_chalice(self, *arguments: str) -> str:
        """Run Chalice in the copy.

        Parameters
        ----------
        *arguments : str
            What to do; the stage is added.

        Returns
        -------
        str
            What it printed.

        Raises
        ------
        PackagingError
            If it fails, or packages the app itself instead of taking what it was given.
        """
        chalice = str(Path(sys.executable).with_name("chalice"))
        environment = {"AWS_DEFAULT_REGION": "us-east-1"} | os.environ
        done = subprocess.run(
            [chalice, *arguments, "--stage", self._stage],
            cwd=self.folder,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            print(done.stdout, file=sys.stderr)
            raise PackagingError(f"chalice {arguments[0]} failed.")
        if _REUSED not in done.stdout:
            raise PackagingError(f"chalice {arguments[0]} did not take the lean package.")
        return done.stdout

    def _packager(self, kind: Any) -> Any:
        osutils = OSUtils()
        builder = DependencyBuilder(osutils, architecture=self._target.name)
        return kind(osutils, builder, _Quiet(), architecture=self._target.name)


@contextmanager
def copied(
    original: Path, stage: str, target: Architecture, requirements: Path, bucket: str | None
) -> Iterator[Project]:
    """Copy a Chalice project, for as long as it is needed.

    Parameters
    ----------
    original : Path
        The project.
    stage : str
        The Chalice stage.
    target : Architecture
        What the function shall run on, whatever the configuration says.
    requirements : Path
        What it shall be packaged with.
    bucket : str, optional
        What stands in the configuration for `PLACEHOLDER`.

    Yields
    ------
    Project

    Raises
    ------
    PackagingError
        If the project has no such stage.
    """
    deployed = original / ".chalice" / "deployed"
    deployed.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, original.name)
        shutil.copytree(original, folder, ignore=_LEFT_OUT)
        shutil.copyfile(requirements, folder / "requirements.txt")
        for path in (folder / ".chalice").glob("*.json"):
            if bucket:
                path.write_text(path.read_text().replace(PLACEHOLDER, bucket))
        _configure(folder / ".chalice" / "config.json", stage, target)
        (folder / ".chalice" / "deployments").mkdir()
        (folder / ".chalice" / "deployed").symlink_to(deployed.resolve())
        yield Project(folder, stage, target)


def _configure(path: Path, stage: str, target: Architecture) -> None:
    config = json.loads(path.read_text())
    if stage not in config["stages"]:
        known = ", ".join(config["stages"])
        raise PackagingError(f"There is no stage {stage}: STAGE is one of {known}.")
    config["stages"][stage]["lambda_architecture"] = target.name
    path.write_text(json.dumps(config, indent=2))
