"""The settings of the function that scores files."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.errors import InvalidSetting
from chalicelib.named_tuple import NamedTuple
from chalicelib.settings import parse_count, parse_switch

RANGE_BYTES = 16 * 1024 * 1024


class BulkSettings(NamedTuple):
    """The settings, each with its environment variable."""

    queue_url: str  # BULK_QUEUE_URL
    range_bytes: int = RANGE_BYTES  # BULK_RANGE_BYTES: at least so many bytes are a part
    probabilities: bool = True  # BULK_PROBABILITIES: whether they are written

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> BulkSettings:
        """Parse environment variables; raise `InvalidSetting` if one is missing or invalid."""
        queue_url = environ.get("BULK_QUEUE_URL", "")
        if not queue_url.startswith(("https://", "http://")):
            raise InvalidSetting("BULK_QUEUE_URL", queue_url or None, "the URL of a queue of SQS")
        return cls(
            queue_url=queue_url,
            range_bytes=parse_count(environ, "BULK_RANGE_BYTES", RANGE_BYTES),
            probabilities=parse_switch(environ, "BULK_PROBABILITIES"),
        )
