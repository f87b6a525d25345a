"""The log: one line of JSON on standard output for each event."""

from __future__ import annotations

import json
import sys


def log_event(event: str, **fields: object) -> None:
    """Log an event with fields that JSON can represent; never a secret or a client's value."""
    # One write for the whole line: lines of several threads do not mix.
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()
