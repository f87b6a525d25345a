"""Who can reach what `chalice deploy` deploys, which has no access control."""

from __future__ import annotations

import sys
from pathlib import Path

OPEN = (
    "Access: public, anyone who knows the URL can send requests. For a key: make package"
    " STAGE=prod, then sam deploy."
)


def print_access() -> None:
    """Print who can reach the API if Chalice imports the app to deploy it."""
    command, *arguments = sys.argv
    if Path(command).name == "chalice" and "deploy" in arguments:
        print(OPEN, flush=True)
