"""What the environment may configure: read once, typed, and refused by name if it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.errors import InvalidSetting

REFRESH_SECONDS = 60.0
TIMEOUT_SECONDS = 5.0
MAX_ROWS = 10_000
MAX_BYTES = 100 * 1024 * 1024


class Settings(NamedTuple):
    """The configuration of a serving process.

    Parameters
    ----------
    model_url : str
        Where the model store is: ``s3://bucket/prefix`` or ``file:///folder`` (``MODEL_URL``).
    refresh_seconds : float
        How long a model is served before the store is asked for a newer one
        (``MODEL_REFRESH_SECONDS``).
    timeout_seconds : float
        How long a request waits for the store, connecting included (``MODEL_TIMEOUT_SECONDS``).
    max_rows : int
        The most samples that one request may hold (``MODEL_MAX_ROWS``).
    max_bytes : int
        The largest artifact that is loaded (``MODEL_MAX_BYTES``).
    signing_key : str or None
        What an artifact must be signed with (``MODEL_SIGNING_KEY``).
    cors_origins : tuple of str
        The origins whose pages may ask in a browser, or ``*`` for all (``CORS_ORIGINS``).
    """

    model_url: str
    refresh_seconds: float = REFRESH_SECONDS
    timeout_seconds: float = TIMEOUT_SECONDS
    max_rows: int = MAX_ROWS
    max_bytes: int = MAX_BYTES
    signing_key: str | None = None
    cors_origins: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show the settings, but never the key."""
        return f"Settings({self.model_url!r}, ...)"

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
            refresh_seconds=_seconds(environ, "MODEL_REFRESH_SECONDS", REFRESH_SECONDS),
            timeout_seconds=_seconds(environ, "MODEL_TIMEOUT_SECONDS", TIMEOUT_SECONDS),
            max_rows=_count(environ, "MODEL_MAX_ROWS", MAX_ROWS),
            max_bytes=_count(environ, "MODEL_MAX_BYTES", MAX_BYTES),
            signing_key=signing_key(environ),
            cors_origins=_origins(environ, "CORS_ORIGINS"),
        )


def signing_key(environ: Mapping[str, str]) -> str | None:
    """Read the key that artifacts are signed with.

    Parameters
    ----------
    environ : mapping of str to str
        Usually ``os.environ``.

    Returns
    -------
    str or None
        None if artifacts are not signed.

    Raises
    ------
    InvalidSetting
        If the variable is set, but empty: that would turn signatures off unnoticed.
    """
    key = environ.get("MODEL_SIGNING_KEY")
    if key == "":
        raise InvalidSetting("MODEL_SIGNING_KEY", key, "the secret that models are signed with")
    return key


def _store_url(environ: Mapping[str, str], name: str) -> str:
    held = environ.get(name)
    if not held or not held.startswith(("s3://", "file:///")):
        raise InvalidSetting(name, held, "s3://bucket/prefix or file:///folder")
    return held


def _origins(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    held = environ.get(name, "")
    origins = tuple(origin.strip() for origin in held.split(",")) if held.strip() else ()
    if origins != ("*",) and not all(_is_origin(origin) for origin in origins):
        takes = "origins such as https://example.org, with a comma between them, or *"
        raise InvalidSetting(name, held, takes)
    return origins


def _is_origin(text: str) -> bool:
    """Tell whether a browser could name this as an origin: a scheme and a host, without a path."""
    scheme, separator, host = text.partition("://")
    return (
        scheme in ("http", "https")
        and bool(separator and host)
        and text.isascii()
        and text.isprintable()
        and not set(host) & set("/ *?#@\\")
    )


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
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
