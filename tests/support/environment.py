"""Environments of their own for programs whose requirements are heavy and do not agree."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

ENVIRONMENTS = ROOT / ".tools" / "clients"


def environment(requirements: Path) -> Path:
    """Make an environment, unless there is one with the same requirements.

    Parameters
    ----------
    requirements : Path
        A file of them; the environment is named for it.

    Returns
    -------
    Path
        The folder of its commands.
    """
    state = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = ENVIRONMENTS / f"{requirements.stem}-{state}"
    done = folder / ".done"
    if not done.exists():
        uv = os.environ.get("UV", "uv")
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        make = [uv, "venv", "--quiet", "--allow-existing", "--python", python, str(folder)]
        fill = [uv, "pip", "install", "--quiet", "--python", str(folder), "-r", str(requirements)]
        for command in (make, fill):
            subprocess.run(command, check=True, cwd=ROOT)
        done.touch()
    return folder / "bin"
