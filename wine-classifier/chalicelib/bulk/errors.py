"""Errors of the function that scores files.

FileProblem        the file cannot be scored: trying again changes nothing
FileReplaced       the file is another than when it was split
OutOfTime          the function's time is nearly over
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.errors import Problem, ServingError


class FileProblem(ServingError):
    """The file cannot be scored: trying again changes nothing.

    Parameters
    ----------
    message : str
        A sentence.
    problems : sequence of Problem
        Those that a request of the same content would get.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        self.problems = problems
        super().__init__(message)


class FileReplaced(ServingError):
    """The file is another than when it was split; the new one has a message of its own."""

    def __init__(self) -> None:
        super().__init__("The file was replaced after it was split.")


class OutOfTime(ServingError):
    """The function's time is nearly over."""

    def __init__(self) -> None:
        super().__init__("The function ran out of time.")
