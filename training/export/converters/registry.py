"""Which function converts which estimator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from training.export.converters.features import Features, from_tensor
from training.export.converters.outputs import Outputs, require
from training.export.converters.skl2onnx_transformers import transform_with_skl2onnx
from training.export.converters.tensor import Tensor

Converter = Callable[[Any, Any], Outputs]  # of a fitted classifier and its input
Transform = Callable[[Any, Features], Features]  # of a fitted transformer and its input

# A class, or the qualified name of one whose library is not to be imported.
Registered = type | str

CONVERTERS: dict[Registered, Converter] = {}
TRANSFORMS: dict[Registered, Transform] = {}


def converts(*classifiers: Registered) -> Callable[[Converter], Converter]:
    """Register the converter of these classes, without subclasses; it receives a `Tensor`."""

    def register(converter: Converter) -> Converter:
        def with_numbers(estimator: Any, X: Features) -> Outputs:
            return converter(estimator, X.numbers())

        CONVERTERS.update(dict.fromkeys(classifiers, with_numbers))
        return converter

    return register


def delegates(*classifiers: Registered) -> Callable[[Converter], Converter]:
    """Register the converter of classifiers that pass their `Features` on to other estimators."""

    def register(converter: Converter) -> Converter:
        CONVERTERS.update(dict.fromkeys(classifiers, converter))
        return converter

    return register


def transforms(*transformers: Registered) -> Callable[[Transform], Transform]:
    """Register the function that converts these transformers, without subclasses."""

    def register(transform: Transform) -> Transform:
        TRANSFORMS.update(dict.fromkeys(transformers, transform))
        return transform

    return register


def convert(estimator: Any, X: Features | Tensor) -> Outputs:
    """Convert a fitted classifier, which may be part of another one.

    Raises
    ------
    NotImplementedError
        If the classifier has no converter.
    """
    converter = _look_up(CONVERTERS, estimator)
    if converter is None:
        raise NotImplementedError(f"{type(estimator).__name__} is not supported")
    if isinstance(X, Tensor):
        X = from_tensor(X, X.width or estimator.n_features_in_)
    key = (id(estimator), X.key)
    if key not in X.graph.converted:
        X.graph.converted[key] = converter(estimator, X)
    outputs: Outputs = X.graph.converted[key]
    return outputs


def transform(transformer: Any, X: Features) -> Features:
    """Convert a fitted transformer; None and ``"passthrough"`` return the features as they are.

    Raises
    ------
    NotImplementedError
        If the transformer, or one of its parameters, is not supported.
    """
    if transformer is None or isinstance(transformer, str):
        return X.columns([]) if transformer == "drop" else X
    function = _look_up(TRANSFORMS, transformer)
    if function is None:
        return transform_with_skl2onnx(transformer, X)
    return function(transformer, X)


def _look_up[Function](functions: dict[Registered, Function], estimator: Any) -> Function | None:
    """Return the function that is registered for an estimator's class or for its name."""
    cls = type(estimator)
    return functions.get(cls) or functions.get(f"{cls.__module__}.{cls.__qualname__}")


def binary_score(estimator: Any, X: Features | Tensor) -> Tensor:
    """Return the score of the second class as scikit-learn's meta-estimators compute it.

    It is the binary classifier's `decision_function`, else the probability of its second class;
    shape (samples, 1).
    """
    outputs = convert(estimator, X)
    if hasattr(estimator, "decision_function"):
        return require(outputs.scores, estimator)
    return require(outputs.probabilities, estimator).column(1)
