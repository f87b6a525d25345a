"""The files that the emulator consists of, fetched from the package registry.

The emulator is AWS's own, from the wheel of aws-sam-cli; awslambdaric is the client that Lambda's
Python runtime is made of.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from deployment.target import PYTHON

ROOT = Path(__file__).parent.parent.parent
SAM_CLI = ROOT / "deployment" / "requirements-sam.txt"
RUNTIME_CLIENT = "awslambdaric==4.2.2"
TOOLS = ROOT / ".tools" / "emulator"

_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}


def emulator_files() -> tuple[Path, Path]:
    """Give the emulator and the folder of the runtime client, fetched at the first use.

    Returns
    -------
    tuple of Path
    """
    emulator, client = TOOLS / "aws-lambda-rie", TOOLS / f"awslambdaric-{PYTHON}"
    if not emulator.exists():
        _pip("download", "--no-deps", "--dest", str(TOOLS), "-r", str(SAM_CLI))
        [wheel] = TOOLS.glob("aws_sam_cli-*.whl")
        name = f"samcli/local/rapid/aws-lambda-rie-{_MACHINES[platform.machine()]}"
        with zipfile.ZipFile(wheel) as archive:
            written = TOOLS / "emulator.tmp"
            written.write_bytes(archive.read(name))
            written.chmod(0o755)
            written.rename(emulator)
        wheel.unlink()
    if not client.is_dir():
        installing = TOOLS / "client.tmp"
        shutil.rmtree(installing, ignore_errors=True)
        _pip("install", "--target", str(installing), RUNTIME_CLIENT)
        installing.rename(client)
    return emulator, client


def _pip(command: str, *arguments: str) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    command_line = [*pip, command, "--quiet", "--only-binary=:all:", *arguments]
    subprocess.run(command_line, check=True, capture_output=True)
