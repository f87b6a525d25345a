"""Every error that serving raises on purpose. None of them knows of HTTP: see ``http``.

ServingError
    MalformedBody          the body is not the JSON that a request must be
    UnsupportedMediaType   the body is not sent as a type that the path takes
        BinaryTensors      it holds tensors in binary form
    BodyTooLarge           the body, or the batch in it, is over a limit
    InvalidRequest         well-formed JSON that the model does not take
    UnknownPath            nothing is served at this path
    UnknownModel           no model of this name and version is served
    MethodNotAllowed       the path is served, but not by this method
    ModelUnavailable       there is no model to answer with
    InvalidArtifact        an object in the store is not a model that may be served
    StoreError             the store could not be read or written
        ObjectNotFound     it holds no such object
    InvalidSetting         an environment variable holds something it may not
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong with a request.

    Parameters
    ----------
    at : str
        Where, as a path into the body, such as ``data[3].alcohol``.
    problem : str
        What is wrong and what would be right. Never holds a value that was sent.
    """

    at: str
    problem: str

    def __str__(self) -> str:
        told = f"{self.at} {self.problem}".strip()
        return told if told.endswith("?") else f"{told}."


class ServingError(Exception):
    """The base of all errors that serving raises on purpose."""


class MalformedBody(ServingError):
    """The body is not the JSON that a request must be."""


class UnsupportedMediaType(ServingError):
    """The body is not sent as a type that the path takes, as text in UTF-8.

    Parameters
    ----------
    taken : sequence of str, optional
        The media types that it takes.
    """

    def __init__(self, taken: Sequence[str] = ("application/json",)) -> None:
        types = " or ".join(taken)
        super().__init__(f"The body must be sent as Content-Type: {types}, in UTF-8, uncompressed.")


class BinaryTensors(UnsupportedMediaType):
    """The body holds tensors in the binary form that some clients prefer."""

    def __init__(self) -> None:
        Exception.__init__(
            self, "Tensors in binary form are not read: send them as JSON (binary_data=False)."
        )


class BodyTooLarge(ServingError):
    """The body, or the batch in it, is over a limit."""

    def __init__(self, what: str, limit: int, unit: str) -> None:
        super().__init__(f"{what} may hold at most {limit:,} {unit}.")


class InvalidRequest(ServingError):
    """Well-formed JSON that the model does not take.

    Parameters
    ----------
    problems : list of Problem
        What is wrong, or the beginning of it.
    count : int
        How many problems there are.
    """

    def __init__(self, problems: list[Problem], count: int) -> None:
        self.problems = problems
        self.count = count
        # Some clients show the sentence alone, so it says as much as a sentence can.
        listed = f" ({len(problems)} are listed)" if count > len(problems) else ""
        several = f"The request has {count:,} problems{listed}, the first: " if count > 1 else ""
        super().__init__(f"{several}{problems[0]}")

    def moved(self, place: Callable[[str], str]) -> InvalidRequest:
        """Name the same problems by where they are in a request of another form.

        Parameters
        ----------
        place : callable
            Makes of a place, such as ``data[3].alcohol``, the one in the request.

        Returns
        -------
        InvalidRequest
        """
        moved = [Problem(place(problem.at), problem.problem) for problem in self.problems]
        return InvalidRequest(moved, self.count)


class UnknownPath(ServingError):
    """Nothing is served at this path."""

    def __init__(self) -> None:
        super().__init__("Nothing is served at this path.")


class UnknownModel(ServingError):
    """No model of this name and version is served."""

    def __init__(self) -> None:
        super().__init__("No model of this name and version is served here.")


class MethodNotAllowed(ServingError):
    """The path is served, but not by this method.

    Parameters
    ----------
    allowed : sequence of str
        The methods that are served there.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = sorted(allowed)
        super().__init__(f"This path takes {' and '.join(self.allowed)} only.")


class ModelUnavailable(ServingError):
    """There is no model to answer with.

    Parameters
    ----------
    reason : str
        The kind of failure, such as ``"not found"``; shown to clients, so without details.
    retry_after : int
        Seconds after which another request may fare better.
    """

    def __init__(self, reason: str, retry_after: int) -> None:
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(f"No model could be loaded: {reason}.")


class InvalidArtifact(ServingError):
    """An object in the store is not a model that may be served."""


class StoreError(ServingError):
    """The store could not be read or written.

    Parameters
    ----------
    kind : str
        A few words that name the kind of failure, such as ``"not found"``.
    detail : str
        What happened, for an operator. Not shown to clients.
    """

    def __init__(self, kind: str, detail: str) -> None:
        self.kind = kind
        super().__init__(detail)


class ObjectNotFound(StoreError):
    """The store holds no such object.

    Parameters
    ----------
    what : str
        The object's URL.
    """

    def __init__(self, what: str) -> None:
        super().__init__("not found", f"There is no {what}.")


class InvalidSetting(ServingError):
    """An environment variable holds something it may not.

    Parameters
    ----------
    name : str
        The variable.
    held : str or None
        What it held; None if it was not set.
    takes : str
        What it may hold.
    """

    def __init__(self, name: str, held: str | None, takes: str) -> None:
        state = "is not set" if held is None else f"is {held!r}"
        super().__init__(f"{name} {state}; it takes {takes}.")
