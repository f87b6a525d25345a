"""The log: one line of JSON on standard output for each event."""

from __future__ import annotations

import json
import sys


def log_event(event: str, **fields: object) -> None:
    """Log an event with fields that JSON can represent; never a secret or a client's value."""
    write_line(json.dumps({"event": event, **fields}) + "\n")


def write_line(line: str) -> None:
    """Write one line, or several, in one piece: lines of several threads do not mix."""
    sys.stdout.write(line)
    sys.stdout.flush()
