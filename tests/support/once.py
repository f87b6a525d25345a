"""What the processes of one test run share: each thing is made by the first that needs it."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a lock that one process has at a time; it ends with the process."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """Return a folder; the first process makes it, and the others wait for that."""
    with lock(folder.with_suffix(".lock")):
        if not folder.exists():
            incomplete = folder.with_suffix(".tmp")
            make(incomplete)
            incomplete.rename(folder)
    return folder
