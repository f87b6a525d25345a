"""The problems of one request, collected and counted."""

from __future__ import annotations

from chalicelib.errors import InvalidRequest, Problem

MAX_LISTED_PROBLEMS = 20


class Problems:
    """The problems found in one request: the first few of them, and how many there are."""

    def __init__(self) -> None:
        self._listed: list[Problem] = []
        self._count = 0

    def add(self, at: str, problem: str) -> None:
        """Note one more problem.

        Parameters
        ----------
        at, problem : str
            See `Problem`.
        """
        self._count += 1
        if not self.list_is_full():
            self._listed.append(Problem(at, problem))

    def list_is_full(self) -> bool:
        """Tell whether further problems will only be counted.

        Returns
        -------
        bool
        """
        return len(self._listed) == MAX_LISTED_PROBLEMS

    def raise_if_any(self) -> None:
        """Refuse the request if there was a problem.

        Raises
        ------
        InvalidRequest
            With all that was found.
        """
        if self._count:
            raise InvalidRequest(self._listed, self._count)
