"""Measure publishing under each minor release of scikit-learn and write docs/versions.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import APP, ROOT
from tests.versions.page import Result, format_page, format_row, read_page
from training.environments import create_environment

RELEASES = ("1.5", "1.6", "1.7", "1.8", "1.9")
PAGE = ROOT / "docs" / "versions.md"
TIMEOUT = 3_600  # seconds, for one release
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # small data: faster than more


def main(releases: list[str]) -> int:
    """Measure releases, all by default, and write their rows; return 1 if anything failed.

    A release is such as 1.9, or 1.9@3.12 for another Python.
    """
    rows = read_page(PAGE.read_text()) if PAGE.exists() else {}
    measured = releases or list(RELEASES)
    for release in measured:
        rows[release] = format_row(release, python_version(release), measure(release))
        print("\n".join([rows[release].counts, *rows[release].others]), flush=True)
        PAGE.write_text(format_page(rows))
    return int(any("| failed |" in line for each in measured for line in rows[each].others))


def measure(release: str) -> list[Result]:
    """Run `tests.versions.measure` in the environment of a release; return its results."""
    process = subprocess.run(
        [str(python(release)), "-W", "ignore", str(Path(__file__).with_name("measure.py"))],
        env=os.environ | ONE_THREAD | {"PYTHONPATH": f"{ROOT}{os.pathsep}{APP}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=TIMEOUT,
    )
    return [json.loads(line) for line in process.stdout.splitlines()]


def python(release: str) -> Path:
    """Return the Python of an environment with the newest patch of a minor release."""
    sklearn, _, other_python = release.partition("@")
    environment = create_environment(sklearn, os.environ.get("UV", "uv"), other_python or None)
    return environment / "bin" / "python"


def python_version(release: str) -> str:
    """Return the version of the Python that a release runs with, such as 3.13."""
    command = [str(python(release)), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    process = subprocess.run(command, check=True, capture_output=True, text=True)
    return process.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
