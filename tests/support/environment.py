"""Virtual environments for programs whose requirements conflict with the project's."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

ENVIRONMENTS = ROOT / ".tools" / "clients"


def create_environment(requirements: Path) -> Path:
    """Create an environment from a requirements file, or reuse it; return its bin folder."""
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = ENVIRONMENTS / f"{requirements.stem}-{digest}"
    complete = folder / ".done"
    if not complete.exists():
        uv = os.environ.get("UV", "uv")
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        for command in (
            [uv, "venv", "--quiet", "--allow-existing", "--python", python, str(folder)],
            [
                uv,
                "pip",
                "sync",
                "--quiet",
                "--require-hashes",
                "--python",
                str(folder),
                str(requirements),
            ],
        ):
            subprocess.run(command, check=True, cwd=ROOT)
        complete.touch()
    return folder / "bin"
