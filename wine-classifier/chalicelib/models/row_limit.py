"""How many samples a request may hold: fewer than the settings allow if the model is slow."""

from __future__ import annotations

from chalicelib.errors import TooManySamples
from chalicelib.models.manifest import Manifest
from chalicelib.settings import Settings


def max_samples(manifest: Manifest, settings: Settings) -> int:
    """Return how many samples a request may hold; at least one."""
    return settings.max_samples(manifest.signature.width, manifest.row_seconds)


class RowLimit:
    """The samples that a request may hold; if the model's time decides, the error says so.

    Any number of requests may enter it at once.
    """

    def __init__(self, manifest: Manifest, settings: Settings) -> None:
        self.manifest = manifest
        self._settings = settings
        self._limit = max_samples(manifest, settings)

    def __enter__(self) -> int:
        return self._limit

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        # The limit of texts is another one.
        if not isinstance(error, TooManySamples) or error.limit != self._limit:
            return
        if self._limit != self._settings.max_samples(self.manifest.signature.width):
            raise TooManySamples(self._limit, describe_time(self.manifest)) from error


def describe_time(manifest: Manifest) -> str:
    """Return how long the model takes."""
    milliseconds = float(f"{manifest.row_seconds * 1000:.2g}")
    return f"the model takes {milliseconds:,.10g} ms for each"
