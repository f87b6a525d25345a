"""Download the emulator and the runtime client.

The emulator is AWS's, from the wheel of aws-sam-cli; awslambdaric is the client in Lambda's Python
runtime.
"""

from __future__ import annotations

import fcntl
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from deployment.pins import read_pins
from deployment.target import PYTHON

ROOT = Path(__file__).parent.parent.parent
SAM_CLI = ROOT / "deployment" / "requirements-sam.txt"
RUNTIME_CLIENT = ROOT / "deployment" / "requirements-emulator.txt"
TOOLS = ROOT / ".tools" / "emulator"

_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}


def download_emulator() -> tuple[Path, Path]:
    """Return the paths of the emulator and the runtime client, downloaded on first use."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    with (TOOLS / "download.lock").open("w") as lock:  # several processes may be the first
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _download_missing()


def _download_missing() -> tuple[Path, Path]:
    emulator, client = TOOLS / "aws-lambda-rie", TOOLS / f"awslambdaric-{PYTHON}"
    if not emulator.exists():
        only_the_wheel = TOOLS / "requirements.txt"
        only_the_wheel.write_text(read_pins(SAM_CLI)["aws-sam-cli"].requirement)
        _pip("download", "--no-deps", "--dest", str(TOOLS), "-r", str(only_the_wheel))
        [wheel] = TOOLS.glob("aws_sam_cli-*.whl")
        name = f"samcli/local/rapid/aws-lambda-rie-{_MACHINES[platform.machine()]}"
        with zipfile.ZipFile(wheel) as archive:
            incomplete = TOOLS / "emulator.tmp"
            incomplete.write_bytes(archive.read(name))
            incomplete.chmod(0o755)
            incomplete.rename(emulator)
        wheel.unlink()
    if not client.is_dir():
        incomplete = TOOLS / "client.tmp"
        shutil.rmtree(incomplete, ignore_errors=True)
        _pip("install", "--target", str(incomplete), "-r", str(RUNTIME_CLIENT))
        incomplete.rename(client)
    return emulator, client


def _pip(command: str, *arguments: str) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    options = ["--quiet", "--require-hashes", "--only-binary=:all:"]
    subprocess.run([*pip, command, *options, *arguments], check=True, capture_output=True)
