"""A hostile request and the response that it must get."""

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

# A value that no response and no log line may repeat.
CANARY = "canary-8471"

ONES = [1.0] * 13  # a valid sample of the wine model
LONG_NAME = "n" * 100_000
TRUNCATED_NAME = f"{LONG_NAME[:80]}…"  # as errors quote it


class Request(NamedTuple):
    """A request for any transport, and the status and problems that it must lead to."""

    status: int
    path: str
    body: bytes | Callable[[], bytes] = b""  # large bodies are made when they are needed
    headers: tuple[tuple[str, str], ...] = JSON  # a name may occur twice
    method: str = "POST"
    at: tuple[str, ...] | None = None  # the paths of all problems, if they are checked

    @property
    def content(self) -> bytes:
        """Return the bytes of the body."""
        return self.body if isinstance(self.body, bytes) else self.body()

    def __str__(self) -> str:
        """Return the id of the test."""
        start = self.body[:40] if isinstance(self.body, bytes) else b"large"
        headers = "" if self.headers == JSON else ascii(self.headers)[:60]
        return ascii(f"{self.method} {self.path[:40]} {headers} {start!r} {self.status}")[1:-1]


def encode_json(document: object) -> bytes:
    """Encode a document, with NaN and Infinity as Python writes them."""
    return json.dumps(document).encode()


def repeat(unit: str, count: int, before: str = "", after: str = "") -> Callable[[], bytes]:
    """Return a function that makes a large body of equal units."""
    return lambda: (before + unit * count + after).encode()
