"""Byte code for Lambda: without it, every cold start compiles every module.

Lambda's code folder is read-only, so Python cannot cache byte code there. The byte code is
`unchecked-hash`_: Python neither reads the source nor compares its time, which a zip changes.

.. _unchecked-hash: https://peps.python.org/pep-0552/
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from deployment.errors import PackagingError

CODE_FOLDER = "/var/task"  # where Lambda unzips a package: the path in tracebacks


def compile_all(folder: Path) -> None:
    """Compile every module in a folder; raise `PackagingError` for one that is not Python."""
    # In a separate process: interned objects of this one would change the byte code.
    command = [sys.executable, "-s", "-m", "compileall", "-q", "-f", "-j", "1", "-o", "0"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", CODE_FOLDER]
    command.append(str(folder))
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
    process = subprocess.run(command, env=environment, capture_output=True, text=True)
    if process.returncode:
        lines = (process.stdout + process.stderr).strip().splitlines()
        raise PackagingError(f"A module cannot be compiled: {lines[-1] if lines else 'unknown'}")
