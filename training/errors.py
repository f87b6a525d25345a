"""Errors of training, each with one line of at most `MAX_CHARACTERS` that says what to change.

TrainingError
    NotServable        the estimator, or the data passed with it, cannot be served
        FittedElsewhere  another release of scikit-learn fitted it
    NeedsOtherSklearn  the file was fitted with another scikit-learn, which cannot be had
    MissingLibrary     an optional library is not installed
    NotExportable      no exported form predicts exactly what the estimator does
    UnknownVersion     the registry does not have this version
    NoCard             the version has no model card
    NoOlderVersion     nothing was live before the live version
    UnreadableLog      the log cannot be read, or has no summary of served rows
    NoDistribution     the version was published without its training distribution
    DriftFound         served rows are unlike the training data
    UnreadableTable    a table to score cannot be read, or its columns do not fit the model
    CannotScore        a run that scores a table cannot begin or go on
    UnknownFile        a stack has no such file to score
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

MAX_CHARACTERS = 300


class FailedAttempt(Protocol):
    """The parts of `training.export.search.Attempt` that an error reports."""

    @property
    def strategy(self) -> str:
        """The name of the export strategy."""

    @property
    def rejection(self) -> str | None:
        """Why it was rejected."""


class TrainingError(Exception):
    """The base class of the errors in this module.

    Parameters
    ----------
    message : str
        Longer ones are cut, and put on one line.

    Attributes
    ----------
    attempts : list of Attempt
        The export strategies that were tried, each with the whole reason why it was rejected.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message, MAX_CHARACTERS))
        self.attempts: list[FailedAttempt] = []


class NotServable(TrainingError):
    """The estimator is not a fitted classifier, or the data does not fit it."""


class FittedElsewhere(NotServable):
    """Another release of scikit-learn fitted the estimator, or a part of it."""

    def __init__(self, part: str, attribute: str, installed: str) -> None:
        super().__init__(
            f"{part} was fitted with another release than scikit-learn {installed}, as its "
            f"{attribute} shows: fit it again, or publish its file with python -m training publish "
            "--model, which uses the release that fitted it."
        )


class NeedsOtherSklearn(TrainingError):
    """The file was fitted with another scikit-learn, which cannot be had."""

    def __init__(self, path: Path, version: str, advice: str) -> None:
        super().__init__(f"{path} was fitted with scikit-learn {version}: {advice}.")


class MissingLibrary(TrainingError):
    """An optional library is not installed."""

    def __init__(self, subject: str, library: str) -> None:
        super().__init__(f"{subject} needs {library}: install it with pip install {library}.")


class NotExportable(TrainingError):
    """The estimator cannot be converted, or the result does not predict what scikit-learn does."""


class NoExactStrategy(NotExportable):
    """No strategy is exact.

    Parameters
    ----------
    estimator_name : str
    attempts : sequence of Attempt
        At least one, in the order of the strategies.
    """

    def __init__(self, estimator_name: str, attempts: Sequence[FailedAttempt]) -> None:
        # ONNX in float64 fails for the best reason, and scikit-learn is the last resort.
        reasons = dict.fromkeys(
            f"{attempt.strategy.partition(' ')[0]}: {_shorten_reason(attempt.rejection or '')}"
            for attempt in (attempts[0], attempts[-1])
        )
        super().__init__(
            f"{estimator_name} cannot be served exactly: change the parts or parameters that are "
            f"named here. {'; '.join(reasons)}"
        )
        self.attempts = list(attempts)


def _shorten_reason(reason: str) -> str:
    return one_line(reason.rpartition("cannot be converted to ONNX: ")[2], 100)


class UnknownVersion(TrainingError):
    """The registry does not have this version."""

    def __init__(self, version: str, url: str) -> None:
        super().__init__(f"There is no version {version} in {url}.")


class NoCard(TrainingError):
    """The version has no model card."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"Version {version} has no card: it was published without --card. Make one with "
            "python -m training card."
        )


class NoOlderVersion(TrainingError):
    """Nothing was live before the live version."""

    def __init__(self, live: str | None, url: str) -> None:
        super().__init__(f"No version was live before {live or 'the last one'} in {url}.")


class UnreadableTable(TrainingError):
    """A table to score cannot be read, or its columns do not fit the model."""


class CannotScore(TrainingError):
    """A run that scores a table cannot begin or go on."""


class UnknownFile(TrainingError):
    """A stack has no such file to score."""

    def __init__(self, file: str, url: str) -> None:
        super().__init__(f"There is no {file} in the inbox or the outbox of {url}.")


def one_line(text: str, characters: int) -> str:
    """Join the lines of a text and cut it to a number of characters."""
    line = " ".join(text.split()) if any(c in text for c in "\n\r\t") else text.strip()
    return line if len(line) <= characters else f"{line[: characters - 1].rstrip()}…"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its type."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


class UnreadableLog(TrainingError):
    """The log cannot be read, or has no summary of served rows."""


class NoDistribution(TrainingError):
    """The version was published without its training distribution."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"Version {version} was published before manifests had the training distribution: "
            "publish it again."
        )


class DriftFound(TrainingError):
    """Served rows are unlike the training data."""

    def __init__(self, versions: Sequence[str]) -> None:
        super().__init__(f"There is drift: version {', '.join(versions)}.")
