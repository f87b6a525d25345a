"""The parts of an estimator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

_HOLDERS = ("_CalibratedClassifier",)  # hold estimators, and are none
_ATOMS = (str, int, np.int64)  # of which a dict, such as a vocabulary, may hold very many
NUMBERS_OF_A_PATH = 200
_PASSES_OVER_TERMS = 4  # counts, weights, their squares and lengths


def iterate_parts(estimator: Any) -> Iterator[Any]:
    """Yield an estimator and what is in its attributes, lists and dicts, each object once."""
    seen: set[int] = set()
    waiting = [estimator]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, BaseEstimator) or type(part).__name__ in _HOLDERS:
            waiting += reversed(vars(part).values())
        elif isinstance(part, dict):
            waiting += [value for value in reversed(part.values()) if type(value) not in _ATOMS]
        elif isinstance(part, (list, tuple)):
            waiting += reversed(part)


def find_estimators(estimator: Any) -> Iterator[BaseEstimator]:
    """Yield an estimator and every one in it, at any depth."""
    for part in iterate_parts(estimator):
        if isinstance(part, BaseEstimator):
            yield part


def count_numbers(estimator: Any, of_a_tree: int = NUMBERS_OF_A_PATH) -> int:
    """Return with about how many numbers an estimator works to predict a sample.

    They are all in its arrays, such as coefficients and reference samples, `of_a_tree` in each
    tree, and a column for each term.
    """
    count = 0
    for part in iterate_parts(estimator):
        if isinstance(part, np.ndarray):
            count += part.size
        elif hasattr(part, "nnz"):
            count += part.nnz
        if hasattr(part, "tree_"):
            count += of_a_tree
        elif hasattr(part, "vocabulary_"):
            count += _PASSES_OVER_TERMS * len(part.vocabulary_)
    return count
