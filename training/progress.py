"""Progress bars."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tqdm import tqdm


def progress[Item](items: Iterable[Item], description: str) -> Iterable[Item]:
    """Iterate over items; on a terminal, show a bar on standard error after a second."""
    if not sys.stderr.isatty():
        return items
    bar: Iterable[Item] = tqdm(items, description, leave=False, delay=1)
    return bar
