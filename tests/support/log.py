"""The lines that the function logged."""

from __future__ import annotations

import json
from typing import Any


def logged(output: str, event: str) -> list[dict[str, Any]]:
    """Return the lines of an event, parsed; Chalice and the emulator print others between them."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") == event]
