"""What training refuses to do, in one line that says why."""

from __future__ import annotations


class TrainingError(Exception):
    """The base of all errors that training raises on purpose."""


class NotServable(TrainingError):
    """What was given cannot be served: no fitted classifier, or data that does not fit it."""


class NotExportable(TrainingError):
    """The exported model does not answer as scikit-learn does, or could not be made."""


class UnknownVersion(TrainingError):
    """The store holds no such version."""

    def __init__(self, version: str, url: str) -> None:
        super().__init__(f"There is no version {version} in {url}.")


class NoOlderVersion(TrainingError):
    """The store holds no version that was published before the live one."""

    def __init__(self, live: str, url: str) -> None:
        super().__init__(f"No version was published before {live} in {url}.")
