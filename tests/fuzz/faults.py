"""Faults that this project had: planted again, each has to be found by the search.

They are planted in the process whose requests are measured, so this module imports little.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

_HINTS = 80  # so many that the request is over the bound on a fast machine too


class Fault(NamedTuple):
    """A fault, and the model whose requests show it.

    Parameters
    ----------
    model : str
        A key of `tests.fuzz.costly_models.MODELS`.
    plant : callable
        Changes the app in this process.
    """

    model: str
    plant: Callable[[], None]


def _hint_from_all_names() -> None:
    from chalicelib.inputs import problems, suggestions

    suggestions.MAX_COMPARED_NAMES = sys.maxsize
    problems.MAX_LISTED_PROBLEMS = _HINTS


def _accept_any_number_of_cells() -> None:
    from chalicelib.settings import Settings

    def max_samples(self: Settings, _width: int, _seconds: float = 0.0) -> int:
        return self.max_rows

    Settings.max_samples = max_samples  # type: ignore[assignment, method-assign]


FAULTS = {
    "many hints, from any number of names": Fault("categories_5000", _hint_from_all_names),
    "any number of cells": Fault("integers_784", _accept_any_number_of_cells),
}
