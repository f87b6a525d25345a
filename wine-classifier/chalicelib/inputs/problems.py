"""The problems of one request, and the paths that locate them in its body."""

from __future__ import annotations

from collections.abc import Callable, Collection

from chalicelib.errors import MAX_COUNTED_PROBLEMS, InvalidRequest, Problem
from chalicelib.inputs.suggestions import did_you_mean

MAX_LISTED_PROBLEMS = 20

# Returns the path of a value in the request, given the row and the name of its feature. The row is
# None if the request holds one sample that is not in a list; the feature is None for a whole
# sample. Each protocol has its own, as each puts samples in another place.
Locate = Callable[[int | None, str | None], str]


class Problems:
    """Collects problems: lists the first `MAX_LISTED_PROBLEMS`, counts `MAX_COUNTED_PROBLEMS`."""

    def __init__(self) -> None:
        self._listed: list[Problem] = []
        self._count = 0

    def add(self, path: str, problem: str) -> None:
        """Add a problem; it must not repeat a value of the request.

        Raises `InvalidRequest` at once if there are too many to count.
        """
        self._count += 1
        if not self._list_is_full():
            self._listed.append(Problem(path, problem))
        elif self._count > MAX_COUNTED_PROBLEMS:
            self.raise_if_any()

    def add_unknown(
        self, path: str, name: object, known: Collection[str | float], problem: str
    ) -> None:
        """Add a problem with a name that is not among the known ones, with the closest of them."""
        # A hint costs time, so only listed problems get one.
        if isinstance(name, str) and not self._list_is_full():
            problem += did_you_mean(name, known)
        self.add(path, problem)

    def raise_if_any(self) -> None:
        """Raise `InvalidRequest` if a problem was added."""
        if self._count:
            raise InvalidRequest(self._listed, self._count)

    def _list_is_full(self) -> bool:
        return len(self._listed) == MAX_LISTED_PROBLEMS


def member_path(path: str, name: str) -> str:
    """Return the path of an object's member."""
    return f"{path}.{name}" if path else name


def locate_in_rows(path: str) -> Locate:
    """Return the `Locate` of samples that are the rows at a path, or the one sample there."""

    def locate(row: int | None, feature: str | None) -> str:
        sample = path if row is None else f"{path}[{row}]"
        return sample if feature is None else member_path(sample, feature)

    return locate


def locate_in_columns(path: str, column_path: Callable[[str], str]) -> Locate:
    """Return the `Locate` of samples whose features are columns with paths of their own."""

    def locate(row: int | None, feature: str | None) -> str:
        column = path if feature is None else column_path(feature)
        return column if row is None else f"{column}[{row}]"

    return locate
