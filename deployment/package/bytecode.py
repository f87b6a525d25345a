"""Byte code that Lambda uses as it is: without it, every cold start compiles every module again.

Lambda's code folder is read-only, so nothing that is compiled there is kept. The byte code is
`unchecked-hash`_: Python neither reads the source nor compares its time, which a zip changes.

.. _unchecked-hash: https://peps.python.org/pep-0552/
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from deployment.errors import PackagingError

CODE_FOLDER = "/var/task"  # where Lambda unzips a package, and what a traceback shall name


def compile_all(folder: Path) -> None:
    """Compile every module in a package, with the Python that runs this.

    Parameters
    ----------
    folder : Path
        The unpacked package.

    Raises
    ------
    PackagingError
        If a module is not Python.
    """
    # A process of its own: what else lives in an interpreter shows in the byte code it writes.
    command = [sys.executable, "-s", "-m", "compileall", "-q", "-f", "-j", "1", "-o", "0"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", CODE_FOLDER]
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
    done = subprocess.run([*command, str(folder)], env=environment, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise PackagingError(f"A module cannot be compiled: {lines[-1] if lines else 'unknown'}")
