"""The wheels for Lambda, whatever machine downloads them."""

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

# pip's error line for a wheel that it cannot find.
_MISSING = re.compile(r"No matching distribution found for (\S+)")


def fetch(requirements: Path, target: Architecture, cache: Path) -> list[Path]:
    """Return the wheels of pinned requirements, downloaded to a cache folder on first use.

    Raises `PackagingError` if a wheel is missing or cannot be downloaded.
    """
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = cache / f"{target.name}-{PYTHON}-{digest}"
    if not folder.is_dir():
        incomplete = folder.with_suffix(".tmp")
        shutil.rmtree(incomplete, ignore_errors=True)
        _download(requirements, target, incomplete)
        incomplete.rename(folder)
    return sorted(folder.glob("*.whl"))


def unpack(wheels: list[Path], folder: Path) -> None:
    """Unpack wheels into one folder, as Lambda's import path expects them."""
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
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        missing = _MISSING.search(process.stderr)
        if missing:
            raise PackagingError(f"There is no wheel of {missing[1]} for {abi} on {target.name}.")
        reason = process.stderr.strip().rpartition("\n")[2] or "pip gives no reason"
        raise PackagingError(f"The wheels cannot be downloaded: {reason}")
