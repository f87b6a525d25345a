"""What the environment may configure: read once, typed, and refused by name if it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.errors import InvalidSetting

REFRESH_SECONDS = 60.0
MAX_ROWS = 10_000


class Settings(NamedTuple):
    """The configuration of a serving process.

    Parameters
    ----------
    model_url : str
        Where the model store is: ``s3://bucket/prefix`` or ``file:///folder`` (``MODEL_URL``).
    refresh_seconds : float
        How long a model is served before the store is asked for a newer one
        (``MODEL_REFRESH_SECONDS``).
    max_rows : int
        The most samples that one request may hold (``MODEL_MAX_ROWS``).
    """

    model_url: str
    refresh_seconds: float = REFRESH_SECONDS
    max_rows: int = MAX_ROWS

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables.

        Parameters
        ----------
        environ : mapping of str to str
            Usually ``os.environ``.

        Returns
        -------
        Settings

        Raises
        ------
        InvalidSetting
            If a variable is missing or holds something it may not.
        """
        return cls(
            model_url=_store_url(environ, "MODEL_URL"),
            refresh_seconds=_number(environ, "MODEL_REFRESH_SECONDS", REFRESH_SECONDS),
            max_rows=_count(environ, "MODEL_MAX_ROWS", MAX_ROWS),
        )


def _store_url(environ: Mapping[str, str], name: str) -> str:
    held = environ.get(name)
    if not held or not held.startswith(("s3://", "file:///")):
        raise InvalidSetting(name, held, "s3://bucket/prefix or file:///folder")
    return held


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    held = environ.get(name)
    if held is None:
        return default
    takes = "a number of seconds, 0 or more"
    try:
        number = float(held)
    except ValueError:
        raise InvalidSetting(name, held, takes) from None
    if not 0 <= number < float("inf"):
        raise InvalidSetting(name, held, takes)
    return number


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    held = environ.get(name)
    if held is None:
        return default
    if not held.isascii() or not held.isdigit() or int(held) == 0:
        raise InvalidSetting(name, held, "a whole number, 1 or more")
    return int(held)
