"""How many samples a request may hold: fewer than the settings allow if the model is slow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.errors import TooManySamples
from chalicelib.models.manifest import Manifest
from chalicelib.settings import Settings


def max_samples(manifest: Manifest, settings: Settings) -> int:
    """Return how many samples a request may hold; at least one."""
    return settings.max_samples(manifest.signature.width, manifest.row_seconds)


@contextmanager
def row_limit(manifest: Manifest, settings: Settings) -> Iterator[int]:
    """Yield how many samples a request may hold; if the model's time decides, the error says so."""
    limit = max_samples(manifest, settings)
    try:
        yield limit
    except TooManySamples as error:
        # The limit of texts is another one.
        if error.limit != limit or limit == settings.max_samples(manifest.signature.width):
            raise
        raise TooManySamples(limit, describe_time(manifest)) from error


def describe_time(manifest: Manifest) -> str:
    """Return how long the model takes."""
    milliseconds = float(f"{manifest.row_seconds * 1000:.2g}")
    return f"the model takes {milliseconds:,.10g} ms for each"
