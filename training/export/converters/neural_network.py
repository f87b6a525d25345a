"""Multi-layer perceptrons."""

from __future__ import annotations

from sklearn.neural_network import MLPClassifier

from training.export.converters.registry import Answer, by_probability, is_above, of_two, writes
from training.export.converters.tensor import Tensor

_ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}


@writes(MLPClassifier)
def _perceptron(estimator: MLPClassifier, X: Tensor) -> Answer:
    layers = list(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    signal = X
    for weights, bias in layers[:-1]:
        signal = signal @ weights + bias
        if estimator.activation != "identity":
            signal = signal.op(_ACTIVATIONS[estimator.activation])
    weights, bias = layers[-1]
    signal = signal @ weights + bias
    if estimator.out_activation_ == "softmax":
        return by_probability(signal.softmax())
    second = signal.sigmoid()
    return Answer(is_above(second, 0.5), of_two(second))
