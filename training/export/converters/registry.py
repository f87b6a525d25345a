"""What a classifier's part of the graph answers, and who writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from skl2onnx._parse import _parse_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.pipeline import Pipeline

from training.export.converters.tensor import Tensor


class Answer(NamedTuple):
    """What a classifier says of each sample.

    Parameters
    ----------
    predicted : Tensor of int64
        Shape (samples,): the position of the predicted class in the estimator's `classes_`.
    probabilities : Tensor of float64, optional
        Shape (samples, classes): its `predict_proba`, where it has one.
    scores : Tensor of float64, optional
        Its `decision_function`, where it has one: shape (samples, classes), or (samples, 1) for
        two classes.
    """

    predicted: Tensor
    probabilities: Tensor | None = None
    scores: Tensor | None = None


Writer = Callable[[Any, Tensor], Answer]

WRITERS: dict[type, Writer] = {}


def writes(*estimators: type) -> Callable[[Writer], Writer]:
    """Say that a function writes these classifiers.

    Parameters
    ----------
    *estimators : type
        Classes of scikit-learn; those derived from them are not meant, as they may do otherwise.

    Returns
    -------
    callable
        A decorator.
    """

    def register(writer: Writer) -> Writer:
        WRITERS.update(dict.fromkeys(estimators, writer))
        return writer

    return register


def answer(estimator: Any, X: Tensor) -> Answer:
    """Write a classifier that is a part of another.

    skl2onnx's own meta-estimators look their parts up in its global registry, so that parts with
    converters of ours would have to be registered there. Ours call each other instead.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : Tensor of float64
        Shape (samples, features).

    Returns
    -------
    Answer

    Raises
    ------
    NotImplementedError
        If nothing here writes this estimator.
    """
    key = (id(estimator), X.name)
    if key not in X.graph.answers:
        writer = WRITERS.get(type(estimator))
        if writer is None:
            raise NotImplementedError(f"{type(estimator).__name__} within another estimator")
        X.graph.answers[key] = writer(estimator, X)
    said: Answer = X.graph.answers[key]
    return said


@writes(Pipeline)
def _pipeline(estimator: Pipeline, X: Tensor) -> Answer:
    for _, transformer in estimator.steps[:-1]:
        X = _transform(transformer, X)
    return answer(estimator.steps[-1][1], X)


def _transform(transformer: Any, X: Tensor) -> Tensor:
    """Let skl2onnx write a transformer."""
    if transformer is None or transformer == "passthrough":
        return X
    scope, container = X.graph.scope, X.graph.container
    width = getattr(transformer, "n_features_in_", None)
    source = scope.declare_local_variable("transformed", DoubleTensorType([None, width]))
    container.add_node("Identity", [X.name], source.full_name)
    (target,) = _parse_sklearn(scope, transformer, [source], custom_parsers=None)
    transformed = Tensor(X.graph, target.full_name)
    single = isinstance(target.type, FloatTensorType)
    return transformed.cast(np.float64) if single else transformed


def by_probability(probabilities: Tensor, scores: Tensor | None = None) -> Answer:
    """Answer the class that is the likeliest, the first of them at a tie.

    Parameters
    ----------
    probabilities : Tensor of float64
        Shape (samples, classes).
    scores : Tensor of float64, optional
        Its `decision_function`.

    Returns
    -------
    Answer
    """
    return Answer(probabilities.argmax(), probabilities, scores)


def by_score(scores: Tensor, classes: int, probabilities: Tensor | None = None) -> Answer:
    """Answer the class with the highest score, or the second of two if theirs is positive.

    Parameters
    ----------
    scores : Tensor of float64
        Shape (samples, classes), or (samples, 1) for two classes.
    classes : int
        How many there are.
    probabilities : Tensor of float64, optional
        Shape (samples, classes).

    Returns
    -------
    Answer
    """
    index = is_above(scores, 0.0) if classes == 2 else scores.argmax()
    return Answer(index, probabilities, scores)


def is_above(scores: Tensor, threshold: float) -> Tensor:
    """Say 1 where a score is above a threshold and 0 where it is not.

    Parameters
    ----------
    scores : Tensor of float64
        Shape (samples, 1).
    threshold : float
        What it must exceed.

    Returns
    -------
    Tensor of int64
        Shape (samples,).
    """
    return (scores > threshold).cast(np.int64).reshape(-1)


def of_two(second: Tensor) -> Tensor:
    """Give the probabilities of two classes.

    Parameters
    ----------
    second : Tensor of float64
        Shape (samples, 1): those of the second class.

    Returns
    -------
    Tensor of float64
        Shape (samples, 2).
    """
    return (1.0 - second).op("Concat", second, axis=1)


def one_hot(index: Tensor, classes: int) -> Tensor:
    """Mark the predicted class.

    Parameters
    ----------
    index : Tensor of int64
        Shape (samples,).
    classes : int
        How many there are.

    Returns
    -------
    Tensor of bool
        Shape (samples, classes).
    """
    return index.reshape(-1, 1).equals(np.arange(classes, dtype=np.int64))


def positions(classes: npt.NDArray[Any], among: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Find the classes that a part of an estimator knows among those of the whole.

    Parameters
    ----------
    classes : numpy.ndarray
        The part's.
    among : numpy.ndarray
        The whole's, sorted.

    Returns
    -------
    numpy.ndarray of int64
    """
    return np.searchsorted(among, classes).astype(np.int64)


def binary_score(estimator: Any, X: Tensor) -> Tensor:
    """Write what scikit-learn's meta-estimators ask a binary classifier for.

    Parameters
    ----------
    estimator : classifier
        Fitted on two classes.
    X : Tensor of float64
        Shape (samples, features).

    Returns
    -------
    Tensor of float64
        Shape (samples, 1): its `decision_function`, or the probability of its second class.
    """
    said = answer(estimator, X)
    if hasattr(estimator, "decision_function"):
        return required(said.scores, estimator)
    return required(said.probabilities, estimator).column(1)


def required(tensor: Tensor | None, estimator: Any) -> Tensor:
    """Insist that a part answers what is asked of it.

    Parameters
    ----------
    tensor : Tensor, optional
        Its probabilities or scores.
    estimator : classifier
        Whose they are.

    Returns
    -------
    Tensor

    Raises
    ------
    NotImplementedError
        If they are not there.
    """
    if tensor is None:
        raise NotImplementedError(f"the scores or probabilities of {type(estimator).__name__}")
    return tensor
