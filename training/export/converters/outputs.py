"""The outputs of a classifier within a graph."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.export.converters.tensor import Tensor


class Outputs(NamedTuple):
    """The outputs of a classifier within a graph.

    Parameters
    ----------
    class_index : Tensor of int64
        Shape (samples,): index of the predicted class in the estimator's `classes_`.
    probabilities : Tensor of float64, optional
        `predict_proba`, if the estimator has it: shape (samples, classes).
    scores : Tensor of float64, optional
        `decision_function`, if the estimator has it: shape (samples, classes), or (samples, 1)
        for two classes.
    """

    class_index: Tensor
    probabilities: Tensor | None = None
    scores: Tensor | None = None


def from_probabilities(probabilities: Tensor, scores: Tensor | None = None) -> Outputs:
    """Predict the most probable class, the first of several; shape (samples, classes)."""
    return Outputs(probabilities.argmax(), probabilities, scores)


def from_scores(scores: Tensor, classes: int, probabilities: Tensor | None = None) -> Outputs:
    """Predict the class with the highest score, or the second of two if its score is positive.

    The scores have shape (samples, classes), or (samples, 1) for two classes.
    """
    class_index = second_if_above(scores, 0.0) if classes == 2 else scores.argmax()
    return Outputs(class_index, probabilities, scores)


def from_log_likelihoods(log_likelihoods: Tensor, classes: int) -> Outputs:
    """Predict the most likely class; shape (samples, classes), for two classes too."""
    scores = log_likelihoods
    if classes == 2:
        scores = log_likelihoods.column(1) - log_likelihoods.column(0)
    return Outputs(log_likelihoods.argmax(), log_likelihoods.softmax(), scores)


def second_if_above(scores: Tensor, threshold: float) -> Tensor:
    """Return class index 1 where a score, shape (samples, 1), is above the threshold, else 0."""
    return (scores > threshold).cast(np.int64).reshape(-1)


def binary_probabilities(second: Tensor) -> Tensor:
    """Return the probabilities of both classes from those of the second, shape (samples, 1)."""
    return (1.0 - second).op("Concat", second, axis=1)


def one_hot(class_index: Tensor, classes: int) -> Tensor:
    """Return booleans of shape (samples, classes), true for the class with the index."""
    return class_index.reshape(-1, 1).equal(np.arange(classes, dtype=np.int64))


def class_indices(
    classes: npt.NDArray[Any], all_classes: npt.NDArray[Any]
) -> npt.NDArray[np.int64]:
    """Return the index of each class among all classes, which are sorted."""
    return np.searchsorted(all_classes, classes).astype(np.int64)


def require(tensor: Tensor | None, estimator: Any) -> Tensor:
    """Return an output that another estimator needs; raise NotImplementedError if it is None."""
    if tensor is None:
        raise NotImplementedError(
            f"the scores or probabilities of {type(estimator).__name__} are not supported"
        )
    return tensor
