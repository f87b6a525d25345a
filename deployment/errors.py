"""The error that stops a build; its message is the line that the command prints."""

from __future__ import annotations


class PackagingError(Exception):
    """The package cannot be built, or would not work on Lambda."""
