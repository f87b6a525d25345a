"""Names in error messages: shortened, and with the known name that is closest."""

from __future__ import annotations

from collections.abc import Iterable

MAX_NAME_CHARACTERS = 80


def shorten_name(name: str) -> str:
    """Truncate a client's name to a length that is safe to repeat in a response."""
    return name if len(name) <= MAX_NAME_CHARACTERS else f"{name[:MAX_NAME_CHARACTERS]}…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean '...'?"`` with the closest known name, or an empty string."""
    from difflib import get_close_matches  # imported by rejected requests only

    matches = get_close_matches(name[:MAX_NAME_CHARACTERS], list(known), n=1)
    return f"; did you mean '{matches[0]}'?" if matches else ""
