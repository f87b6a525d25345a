"""Names in error messages: shortened, and with the known name that is closest."""

from __future__ import annotations

from collections.abc import Collection

MAX_NAME_CHARACTERS = 80

# Comparing names takes up to a millisecond each. A request of 2 kB could ask for 20 hints, each
# from thousands of names, and take many seconds.
MAX_COMPARED_NAMES = 100
MAX_COMPARED_CHARACTERS = 40


def shorten_name(name: str) -> str:
    """Truncate a client's name to a length that is safe to repeat in a response."""
    return name if len(name) <= MAX_NAME_CHARACTERS else f"{name[:MAX_NAME_CHARACTERS]}…"


def did_you_mean(name: str, known: Collection[str | float]) -> str:
    """Return ``"; did you mean '...'?"`` with the closest known name, or an empty string.

    There is no hint from more than `MAX_COMPARED_NAMES`, nor for a long name.
    """
    if len(known) > MAX_COMPARED_NAMES or len(name) > MAX_COMPARED_CHARACTERS:
        return ""
    from difflib import get_close_matches  # imported by rejected requests only

    matches = get_close_matches(name, sorted(map(str, known)), n=1)
    return f"; did you mean '{matches[0]}'?" if matches else ""
