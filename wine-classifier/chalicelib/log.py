"""What an operator reads: one line of JSON for each event, on standard output."""

from __future__ import annotations

import json
import sys


def log_event(event: str, **fields: object) -> None:
    """Log an event.

    Parameters
    ----------
    event : str
        A few words that name it, always the same for the same kind of event.
    **fields
        What JSON can hold; never a secret, and never a value that a client sent.
    """
    # One write for the whole line, so that another thread's cannot end up in it.
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()
