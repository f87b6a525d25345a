"""The headers of every response."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message


def assert_is_private(headers: Mapping[str, str] | Message) -> None:
    """Check that no cache keeps a response, and that no browser guesses its type."""
    assert headers.get("Cache-Control") == "no-store", dict(headers)
    assert headers.get("X-Content-Type-Options") == "nosniff", dict(headers)
