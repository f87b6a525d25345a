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
from deployment.pins import Pin, canonical_name, read_pins
from deployment.target import PYTHON, Architecture

# pip's error line for a wheel that it cannot find.
_MISSING = re.compile(r"No matching distribution found for (\S+)")


def fetch(requirements: Path, target: Architecture, cache: Path) -> list[Path]:
    """Return the wheels of pinned requirements, downloaded to a cache folder on first use.

    Raises `PackagingError` if a wheel is missing, cannot be downloaded, or is not the pinned one.
    """
    pins = read_pins(requirements)
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = cache / f"{target.name}-{PYTHON}-{digest}"
    if not folder.is_dir():
        incomplete = folder.with_suffix(".tmp")
        shutil.rmtree(incomplete, ignore_errors=True)
        _download(requirements, target, incomplete)
        incomplete.rename(folder)
    _check_wheels(folder, pins)
    return sorted(folder.iterdir())


def _check_wheels(folder: Path, pins: dict[str, Pin]) -> None:
    """Hash the wheels again, as the cache may have changed since pip did."""
    missing = set(pins)
    for wheel in sorted(folder.iterdir()):
        name = canonical_name(wheel.name.partition("-")[0])
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if name not in missing or digest not in pins[name].hashes:
            raise PackagingError(f"{wheel.name} is not what is pinned: delete {folder}.")
        missing.remove(name)
    if missing:
        raise PackagingError(f"The wheel of {min(missing)} is missing: delete {folder}.")


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
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation=cp"]
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
