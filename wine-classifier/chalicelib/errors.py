"""Errors of the serving code; `chalicelib.rest.responses` has the status of each.

ServingError
    MalformedBody          the body is not valid JSON, CSV or UTF-8
    UnsupportedMediaType   the path does not read this media type
    BodyTooLarge           a body or a response is over a limit
        TooManySamples     a batch has more samples than one request may hold
    InvalidRequest         valid JSON or CSV that does not fit the model
    UnknownPath            no route has this path
    UnknownModel           the live model has another name or version
    MethodNotAllowed       the route has other methods
    ModelUnavailable       no model could be loaded
    InvalidArtifact        an object in the store is not a model that can be served
    StoreError             the store could not be read or written
        ObjectNotFound     the store has no such object
    InvalidSetting         an environment variable is missing or invalid
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from chalicelib.named_tuple import NamedTuple

# Why no model, or only an older one, can be served: the words that clients see. The page
# docs/how-to/troubleshoot.md explains each.
Reason = Literal[
    # the settings
    "misconfigured",
    # the store
    "not found",
    "access denied",
    "no such bucket",
    "no credentials",
    "clock skew",
    "unknown host",
    "unreachable",
    "timed out",
    "interrupted",
    "cut short",
    "throttled",
    "store error",
    "not modified",
    "unexpected response",
    "store failure",
    "no signing key",
    # the object in the store
    "empty object",
    "too large",
    "over memory",
    "not an artifact",
    "damaged",
    "not signed",
    "unreadable manifest",
    "unsupported format",
    "unsupported runtime",
    "missing runtime",
    "other scikit-learn",
    "untrusted types",
    "unsafe content",
    "failed trial",
    "not loadable",
    "wrong predictions",
    # anything else
    "internal error",
]


# A request may have a problem in each of a million values: the rest is not counted.
MAX_COUNTED_PROBLEMS = 1_000

_LISTED_CHARACTERS = 80  # of a setting


# The kind of a problem by how it begins; any other is one of the form of the request.
_PROBLEM_KINDS = {
    "is required": "missing",
    "has no ": "missing",
    "must be ": "type",
    "must hold ": "type",
    "is not a ": "unknown",
    "is not an ": "unknown",
    "is too large": "range",
    "is out of ": "range",
    "has values ": "range",
}


class Problem(NamedTuple):
    """One problem of a request.

    Parameters
    ----------
    at : str
        Path in the body, such as ``data[3].alcohol``.
    problem : str
        What is wrong and what is expected; never a value of the request.
    """

    at: str
    problem: str

    @property
    def kind(self) -> str:
        """What is wrong, in one word, for the log."""
        beginnings = (text for text in _PROBLEM_KINDS if self.problem.startswith(text))
        return _PROBLEM_KINDS.get(next(beginnings, ""), "form")

    def __str__(self) -> str:
        sentence = f"{self.at} {self.problem}".strip()
        return sentence if sentence.endswith("?") else f"{sentence}."


class ServingError(Exception):
    """Base of all errors of the serving code."""


class MalformedBody(ServingError):
    """The body is not valid JSON, CSV or UTF-8."""


class UnsupportedMediaType(ServingError):
    """The path does not read this media type, charset or encoding."""

    def __init__(self, accepted: Sequence[str] = ("application/json",)) -> None:
        types = " or ".join(accepted)
        super().__init__(f"The body must be sent as Content-Type: {types}, in UTF-8, uncompressed.")


class BodyTooLarge(ServingError):
    """A body or a response is over a limit."""

    def __init__(self, subject: str, limit: int, unit: str) -> None:
        super().__init__(f"{subject} may hold at most {limit:,} {unit}.")


class TooManySamples(BodyTooLarge):
    """A batch has more samples than one request may hold.

    Parameters
    ----------
    limit : int
        How many it may hold.
    reason : str, default=""
        Why not more, if the model decides that.
    """

    def __init__(self, limit: int, reason: str = "") -> None:
        self.limit = limit
        unit = "sample" if limit == 1 else "samples"
        super().__init__("A batch", limit, f"{unit}: {reason}" if reason else unit)


class InvalidRequest(ServingError):
    """Valid JSON or CSV that does not fit the model.

    Parameters
    ----------
    problems : list of Problem
        The problems that are listed in the response, at least one.
    count : int
        Number of all problems; above `MAX_COUNTED_PROBLEMS` if counting stopped there.
    """

    def __init__(self, problems: list[Problem], count: int) -> None:
        self.problems = problems
        # Some clients show this sentence only, so it includes the first problem.
        listed = f" ({len(problems)} are listed)" if count > len(problems) else ""
        is_exact = count <= MAX_COUNTED_PROBLEMS
        number = f"{count:,}" if is_exact else f"more than {MAX_COUNTED_PROBLEMS:,}"
        prefix = f"The request has {number} problems{listed}, the first: " if count > 1 else ""
        super().__init__(f"{prefix}{problems[0]}")


class UnknownPath(ServingError):
    """No route has this path."""

    def __init__(self) -> None:
        super().__init__("Nothing is served at this path.")


class UnknownModel(ServingError):
    """The live model has another name or version."""

    def __init__(self) -> None:
        super().__init__("No model of this name and version is served here.")


class MethodNotAllowed(ServingError):
    """The route has other methods."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = sorted(allowed)
        super().__init__(f"This path accepts {' and '.join(self.allowed)} only.")


class ModelUnavailable(ServingError):
    """No model could be loaded.

    Parameters
    ----------
    reason : Reason
        Clients see it.
    retry_after : int
        Seconds after which to retry.
    """

    def __init__(self, reason: Reason, retry_after: int) -> None:
        self.reason: Reason = reason
        self.retry_after = retry_after
        super().__init__(f"No model could be loaded: {reason}.")


class InvalidArtifact(ServingError):
    """An object in the store is not a model that can be served.

    Parameters
    ----------
    reason : Reason
        Clients see it.
    detail : str
        What is wrong, for the log and for who publishes.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason: Reason = reason
        super().__init__(detail)


class StoreError(ServingError):
    """The store could not be read or written.

    Parameters
    ----------
    reason : Reason
        Clients see it.
    detail : str
        What happened, for the log.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason: Reason = reason
        super().__init__(detail)


class ObjectNotFound(StoreError):
    """The store has no such object."""

    def __init__(self, name: str) -> None:
        super().__init__("not found", f"There is no {name}.")


class InvalidSetting(ServingError):
    """An environment variable is missing or invalid.

    Parameters
    ----------
    name : str
        The variable.
    value : str or None
        Its value; None if it is not set.
    expected : str
        What it may hold.
    is_secret : bool, default=False
        Whether the message leaves out the value.
    """

    def __init__(
        self, name: str, value: str | None, expected: str, *, is_secret: bool = False
    ) -> None:
        if value is None:
            state = "is not set"
        elif is_secret:
            state = f"has {len(value)} characters"
        else:
            state = f"is {_shorten(value)!r}"
        super().__init__(f"{name} {state}; it must be {expected}.")


def _shorten(value: str) -> str:
    return value if len(value) <= _LISTED_CHARACTERS else f"{value[:_LISTED_CHARACTERS]}…"
