"""A request that makes no sense or means harm, and what it must be answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

CLASSIFY = "/classify"
INFER = "/v2/models/wine/infer"
INVOCATIONS = "/invocations"
ROUTES = (CLASSIFY, INFER, INVOCATIONS)

JSON = (("Content-Type", "application/json"),)
CSV = (("Content-Type", "text/csv"),)

# A value that no answer may repeat.
CANARY = "canary-8471"


class Request(NamedTuple):
    """A request, whichever way it comes in.

    Parameters
    ----------
    status : int
        What it must be answered.
    path, method : str
        As in the first line of HTTP.
    body : bytes or callable
        Or what makes it, if it is large.
    headers : tuple of pairs
        Names and values; a name may be there twice.
    at : tuple of str, optional
        The places of all problems.
    """

    status: int
    path: str
    body: bytes | Callable[[], bytes] = b""
    headers: tuple[tuple[str, str], ...] = JSON
    method: str = "POST"
    at: tuple[str, ...] | None = None

    @property
    def sent(self) -> bytes:
        """The body."""
        return self.body if isinstance(self.body, bytes) else self.body()

    def __str__(self) -> str:
        """What pytest calls the test."""
        start = self.body[:40] if isinstance(self.body, bytes) else b"large"
        headers = "" if self.headers == JSON else ascii(self.headers)[:60]
        return ascii(f"{self.method} {self.path[:40]} {headers} {start!r} {self.status}")[1:-1]


def as_json(document: object) -> bytes:
    """Write a document; what JSON does not have is written as Python does."""
    return json.dumps(document).encode()


def repeated(unit: str, count: int, before: str = "", after: str = "") -> Callable[[], bytes]:
    """Make a large body when it is needed."""
    return lambda: (before + unit * count + after).encode()
