"""Shares of right predictions, with their confidence intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

CONFIDENCE = 0.95
NO_CLASS = -1  # the index of a label that is none of the classes


class Estimate(NamedTuple):
    """A share, between 0 and 1, and its confidence interval."""

    estimate: float
    low: float
    high: float


class Predictions(NamedTuple):
    """Labels and what was predicted for them, as indices of classes.

    Parameters
    ----------
    labels : numpy.ndarray of int
        Shape (samples,); -1 for a label that is none of the classes.
    predicted : numpy.ndarray of int
        Shape (samples,).
    """

    labels: npt.NDArray[np.intp]
    predicted: npt.NDArray[np.intp]

    @classmethod
    def from_labels(
        cls, labels: Iterable[Any], predicted: Iterable[Any], classes: Sequence[Any]
    ) -> Predictions:
        """Look labels up among the classes: as values, else as text, which files may have."""
        by_label = {str(label): index for index, label in enumerate(classes)}
        by_label |= {label: index for index, label in enumerate(classes)}

        def look_up(part: Iterable[Any]) -> npt.NDArray[np.intp]:
            codes, values = pd.factorize(np.asarray(part))  # there may be a million labels
            indices = [by_label.get(v, by_label.get(str(v), NO_CLASS)) for v in values.tolist()]
            return np.array([*indices, NO_CLASS], dtype=np.intp)[codes]

        return cls(look_up(labels), look_up(predicted))

    def is_correct(self) -> npt.NDArray[np.bool_]:
        """Return which predictions are right."""
        correct: npt.NDArray[np.bool_] = self.labels == self.predicted
        return correct


def wilson(outcomes: npt.NDArray[np.bool_]) -> Estimate:
    """Return the share of true outcomes, at least one, with Wilson's `CONFIDENCE` interval."""
    return wilson_of_counts(int(outcomes.sum()), len(outcomes))


def describe_by_class(
    predictions: Predictions, classes: Sequence[Any], method: str
) -> dict[str, Any]:
    """Return the confusion matrix, and the precision and recall of each class.

    Parameters
    ----------
    predictions : Predictions
    classes : sequence
        The labels that the indices stand for.
    method : str
        How the predictions were made.

    Returns
    -------
    dict
        JSON types: ``method``, ``samples`` (count), ``classes`` (names), ``confusion_matrix`` (rows
        are true classes, columns predicted ones) and ``per_class``, which maps each class to its
        ``samples``, ``precision`` and ``recall``: each an estimate with Wilson's interval, or None
        without samples.
    """
    labels, predicted = predictions.labels, predictions.predicted
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    is_known = (labels != NO_CLASS) & (predicted != NO_CLASS)
    np.add.at(counts, (labels[is_known], predicted[is_known]), 1)
    return {
        "method": method,
        "samples": len(labels),
        "classes": [str(label) for label in classes],
        "confusion_matrix": counts.tolist(),
        "per_class": {
            str(label): {
                "samples": int((labels == index).sum()),
                "precision": _share(labels[predicted == index] == index),
                "recall": _share(predicted[labels == index] == index),
            }
            for index, label in enumerate(classes)
        },
    }


def _share(outcomes: npt.NDArray[np.bool_]) -> dict[str, float] | None:
    return wilson(outcomes)._asdict() if len(outcomes) else None


def wilson_of_counts(successes: int, trials: int) -> Estimate:
    """Return a share with Wilson's `CONFIDENCE` interval."""
    interval = stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(successes / trials, float(interval.low), float(interval.high))
