"""Errors of training, each with a one-line message.

TrainingError
    NotServable        the estimator, or the data passed with it, cannot be served
    NeedsOtherSklearn  the file was fitted with another scikit-learn, which cannot be had
    NotExportable      no exported form predicts exactly what the estimator does
    UnknownVersion     the registry does not have this version
    NoOlderVersion     nothing was published before the live version
"""

from __future__ import annotations

from pathlib import Path


class TrainingError(Exception):
    """The base class of the errors in this module."""


class NotServable(TrainingError):
    """The estimator is not a fitted classifier, or the data does not fit it."""


class NeedsOtherSklearn(TrainingError):
    """The file was fitted with another scikit-learn, which cannot be had."""

    def __init__(self, path: Path, version: str, advice: str) -> None:
        super().__init__(f"{path} was fitted with scikit-learn {version}: {advice}.")


class NotExportable(TrainingError):
    """The estimator cannot be converted, or the result does not predict what scikit-learn does."""


class UnknownVersion(TrainingError):
    """The registry does not have this version."""

    def __init__(self, version: str, url: str) -> None:
        super().__init__(f"There is no version {version} in {url}.")


class NoOlderVersion(TrainingError):
    """Nothing was published before the live version."""

    def __init__(self, live: str, url: str) -> None:
        super().__init__(f"No version was published before {live} in {url}.")
