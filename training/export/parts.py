"""The parts of an estimator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator


def iterate_parts(estimator: Any) -> Iterator[Any]:
    """Yield an estimator and everything in its attributes, lists and dicts, each object once."""
    seen: set[int] = set()
    waiting = [estimator]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, BaseEstimator):
            waiting += reversed(vars(part).values())
        elif isinstance(part, dict):
            waiting += reversed(part.values())
        elif isinstance(part, (list, tuple)):
            waiting += reversed(part)
