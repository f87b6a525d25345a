"""Names that a client sent: how they are repeated, and what they may have been meant for."""

from __future__ import annotations

from collections.abc import Sequence

# How much of a name that was sent is repeated in an answer.
MAX_NAME_CHARACTERS = 80


def shortened(name: str) -> str:
    """Cut a name that was sent to a length that may be repeated in an answer.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        At most `MAX_NAME_CHARACTERS` of it.
    """
    return name if len(name) <= MAX_NAME_CHARACTERS else f"{name[:MAX_NAME_CHARACTERS]}…"


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Suggest the known name that a misspelt one is near to.

    Parameters
    ----------
    name : str
        A name that is not known.
    known : sequence of str
        The names that are.

    Returns
    -------
    str
        ``"; did you mean '...'?"``, or nothing if no known name is near.
    """
    from difflib import get_close_matches  # only wrong requests should pay for its import

    near = get_close_matches(name[:MAX_NAME_CHARACTERS], known, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""
