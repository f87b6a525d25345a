"""The wheels that a Lambda function needs, whatever machine they are fetched on."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from deployment.errors import PackagingError
from deployment.target import PYTHON, Architecture

# The line of pip's that names what it cannot find.
_MISSING = re.compile(r"No matching distribution found for (\S+)")


def fetch(requirements: Path, target: Architecture, cache: Path) -> list[Path]:
    """Fetch the wheels that some requirements name.

    Parameters
    ----------
    requirements : Path
        The file, with every version pinned.
    target : Architecture
        What they have to run on.
    cache : Path
        A folder to keep them in.

    Returns
    -------
    list of Path

    Raises
    ------
    PackagingError
        If one is missing.
    """
    pinned = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = cache / f"{target.name}-{PYTHON}-{pinned}"
    if not folder.is_dir():
        fetching = folder.with_suffix(".tmp")
        shutil.rmtree(fetching, ignore_errors=True)
        _download(requirements, target, fetching)
        fetching.rename(folder)
    return sorted(folder.glob("*.whl"))


def unpack(wheels: list[Path], folder: Path) -> None:
    """Unpack wheels next to each other, as they lie on Lambda.

    Parameters
    ----------
    wheels : list of Path
    folder : Path
        Where to.
    """
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    for scheme in ("purelib", "platlib"):
        for data in folder.glob(f"*.data/{scheme}"):
            shutil.copytree(data, folder, dirs_exist_ok=True)
    for data in folder.glob("*.data"):
        shutil.rmtree(data)


def _download(requirements: Path, target: Architecture, folder: Path) -> None:
    abi = "cp" + PYTHON.replace(".", "")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--implementation=cp"]
    command += [f"--python-version={PYTHON}", f"--abi={abi}", "--abi=abi3", "--abi=none"]
    command += [f"--platform={platform}" for platform in target.platforms]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        missing = _MISSING.search(done.stderr)
        if missing:
            raise PackagingError(f"There is no wheel of {missing[1]} for {abi} on {target.name}.")
        last = done.stderr.strip().rpartition("\n")[2]
        raise PackagingError(f"The wheels could not be fetched: {last or 'pip does not say why'}")
