"""Which function converts which classifier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from training.export.converters.outputs import Outputs, require
from training.export.converters.tensor import Tensor

Converter = Callable[[Any, Tensor], Outputs]  # of a fitted estimator and (samples, features)

CONVERTERS: dict[type, Converter] = {}


def converts(*classifiers: type) -> Callable[[Converter], Converter]:
    """Register the decorated function as the converter of these classes, without subclasses."""

    def register(converter: Converter) -> Converter:
        CONVERTERS.update(dict.fromkeys(classifiers, converter))
        return converter

    return register


def convert(estimator: Any, X: Tensor) -> Outputs:
    """Convert a fitted classifier that is part of another one.

    skl2onnx's meta-estimators find their parts in a global registry. These converters call each
    other instead, so nothing has to be registered globally.

    Raises
    ------
    NotImplementedError
        If the classifier has no converter.
    """
    key = (id(estimator), X.name)
    if key not in X.graph.converted:
        converter = CONVERTERS.get(type(estimator))
        if converter is None:
            name = type(estimator).__name__
            raise NotImplementedError(f"{name} within another estimator is not supported")
        X.graph.converted[key] = converter(estimator, X)
    outputs: Outputs = X.graph.converted[key]
    return outputs


def binary_score(estimator: Any, X: Tensor) -> Tensor:
    """Return the score of the second class as scikit-learn's meta-estimators compute it.

    It is the binary classifier's `decision_function`, else the probability of its second class;
    shape (samples, 1).
    """
    outputs = convert(estimator, X)
    if hasattr(estimator, "decision_function"):
        return require(outputs.scores, estimator)
    return require(outputs.probabilities, estimator).column(1)
