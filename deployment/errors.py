"""What stops a build: one error, whose message is the line that is printed."""

from __future__ import annotations


class PackagingError(Exception):
    """The package would not work on Lambda, or cannot be made."""
