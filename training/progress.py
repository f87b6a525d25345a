"""Progress bars."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

DELAY_SECONDS = 1  # what takes less has no bar
INTERVAL_SECONDS = 0.1  # at least, between two states of a bar


def progress[Item](items: Iterable[Item], description: str) -> Iterable[Item]:
    """Iterate over items; on a terminal, show a bar on standard error after a second."""
    if not sys.stderr.isatty():
        return items
    bar: Iterable[Item] = tqdm(items, description, leave=False, delay=DELAY_SECONDS)
    return bar


class RowsBar:
    """A bar of the rows of a file, of which only the size is known; on a terminal, as `progress`.

    Parameters
    ----------
    size : int
        Bytes of the file.
    rows : int
        Rows that were finished before.
    """

    _FORMAT = "{percentage:3.0f}%|{bar}| {desc} [{elapsed}<{remaining}]"

    def __init__(self, size: int, rows: int) -> None:
        self._bar: Any = tqdm(
            total=size,
            bar_format=self._FORMAT,
            leave=False,
            delay=DELAY_SECONDS,
            mininterval=INTERVAL_SECONDS,
            disable=not sys.stderr.isatty(),
        )
        self._rows_before = rows

    def update(self, rows: int, read: int) -> None:
        """Show how many rows are finished and how many bytes are read."""
        if not self._bar.disable:
            rate = (rows - self._rows_before) / max(self._bar.format_dict["elapsed"], 1e-3)
            self._bar.set_description_str(f"{rows:,} rows, {rate:,.0f} a second", refresh=False)
            self._bar.update(read - self._bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()
