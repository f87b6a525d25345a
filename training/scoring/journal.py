"""What a run has finished, beside the output that it writes, so that the next one can go on."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from training.errors import CannotScore
from training.scoring.splitting import Position


class Progress(NamedTuple):
    """What is finished.

    Parameters
    ----------
    position : Position
        Where the rest of the input begins.
    output, rejects : int
        Bytes of the two files that are written.
    scored, rejected : int
        Rows.
    """

    position: Position
    output: int
    rejects: int
    scored: int
    rejected: int


class Journal:
    """One line of JSON for the run, then one for each finished block; locked while it is open.

    The bytes of a block are in the partial files before its line is in the journal. What a killed
    run wrote after the last whole line is cut off by the next.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = open(path, "a+", encoding="utf-8")  # noqa: SIM115
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise CannotScore(f"{path}: another run is writing this output.") from None

    def read(self) -> tuple[dict[str, Any], Progress] | None:
        """Return the run and its progress; None if no block was finished."""
        self._file.seek(0)
        lines = [line for line in self._file if line.endswith("\n")]
        if len(lines) < 2:
            return None
        try:
            run, (position, *counts) = json.loads(lines[0]), json.loads(lines[-1])
            return run, Progress(Position(*position), *counts)
        except (ValueError, TypeError):
            raise CannotScore(f"{self._path} is damaged: add --restart.") from None

    def begin(self, run: dict[str, Any], progress: Progress) -> None:
        """Write the run and where it begins."""
        self._file.truncate(0)
        self._file.write(json.dumps(run) + "\n")
        self.add(progress)

    def add(self, progress: Progress) -> None:
        """Write what is finished."""
        self._file.write(json.dumps(progress) + "\n")
        self._file.flush()

    def delete(self) -> None:
        """Delete the journal of a finished run."""
        self._path.unlink()
        self.close()

    def close(self) -> None:
        """Release the journal; delete it if it is empty."""
        if not self._file.closed and not os.fstat(self._file.fileno()).st_size:
            self._path.unlink(missing_ok=True)
        self._file.close()


def cut(path: Path, size: int) -> None:
    """Cut off what a killed run wrote to a file after its last finished block."""
    if not path.exists() or path.stat().st_size < size:
        raise CannotScore(f"{path} is shorter than the journal says: add --restart.")
    os.truncate(path, size)
