"""The machine that measures."""

from __future__ import annotations

import os
import platform


def describe_machine() -> str:
    """Return its processor cores and architecture, and the version of Python."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
