"""The benchmark of faults of the store measures each from before its beginning to after its end."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.support.paths import APP, ROOT


def test_a_fault_is_noticed_and_its_latest_request_measured() -> None:
    """One of them, in one round; without options there is a page."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.store_faults"]
    python_path = os.pathsep.join(map(str, [ROOT, APP]))
    process = subprocess.run(
        [*command, "--rounds", "1", "--only", "503"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": python_path},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    assert re.fullmatch(r"503 \| throttled \| (\d+) \| \1 \| (yes|no)\n", process.stdout)
