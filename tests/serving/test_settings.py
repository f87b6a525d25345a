"""Settings are read from the environment, or refused by name."""

from __future__ import annotations

import pytest

from chalicelib.errors import InvalidSetting
from chalicelib.settings import Settings

URL = {"MODEL_URL": "s3://bucket/prefix"}


def test_has_defaults_for_all_but_the_store() -> None:
    """Only `MODEL_URL` must be set."""
    assert Settings.from_environ(URL) == Settings(
        "s3://bucket/prefix", 60.0, 5.0, 10_000, 104_857_600, None
    )


def test_reads_each_variable() -> None:
    """Each one as its type."""
    environ = {
        "MODEL_URL": "file:///models",
        "MODEL_REFRESH_SECONDS": "0.5",
        "MODEL_TIMEOUT_SECONDS": "2",
        "MODEL_MAX_ROWS": "7",
        "MODEL_MAX_BYTES": "8",
        "MODEL_SIGNING_KEY": "k",
    }
    assert Settings.from_environ(environ) == Settings("file:///models", 0.5, 2.0, 7, 8, "k")


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("MODEL_URL", ""),
        ("MODEL_URL", "http://somewhere"),
        ("MODEL_URL", "file://host/folder"),
        ("MODEL_REFRESH_SECONDS", "soon"),
        ("MODEL_REFRESH_SECONDS", "-1"),
        ("MODEL_REFRESH_SECONDS", "nan"),
        ("MODEL_REFRESH_SECONDS", "inf"),
        ("MODEL_TIMEOUT_SECONDS", "-1"),
        ("MODEL_SIGNING_KEY", ""),
        ("MODEL_MAX_BYTES", "-1"),
        ("MODEL_MAX_ROWS", "0"),
        ("MODEL_MAX_ROWS", "1.5"),
        ("MODEL_MAX_ROWS", "²"),
    ],
)
def test_names_the_variable_that_is_wrong(name: str, held: str) -> None:
    """And what it held."""
    with pytest.raises(InvalidSetting, match=f"{name} is {held!r}; it"):
        Settings.from_environ(URL | {name: held})


def test_says_that_the_store_is_not_set() -> None:
    """A missing variable is not an empty one."""
    with pytest.raises(InvalidSetting, match="MODEL_URL is not set"):
        Settings.from_environ({})


def test_the_signing_key_is_never_shown() -> None:
    """Not even where the settings are."""
    settings = Settings.from_environ(URL | {"MODEL_SIGNING_KEY": "a secret"})
    assert "a secret" not in f"{settings!r} {settings}"
