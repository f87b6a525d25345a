"""Run the checks of CatBoost in an environment with it: `make catboost`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.environment import create_environment
from tests.support.paths import ROOT

HERE = Path(__file__).parent


def main() -> int:
    """Return pytest's exit code."""
    python = create_environment(HERE / "catboost.txt") / "python"
    return subprocess.run([python, "-m", "pytest", HERE / "checks.py"], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
