"""Multi-layer perceptrons: sklearn.neural_network."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import BernoulliRBM, MLPClassifier

from training.export.converters.features import Features, from_tensor
from training.export.converters.outputs import (
    Outputs,
    binary_probabilities,
    from_probabilities,
    second_if_above,
)
from training.export.converters.registry import converts, transforms
from training.export.converters.tensor import Tensor

_ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}


@converts(MLPClassifier)
def _mlp(estimator: MLPClassifier, X: Tensor) -> Outputs:
    layers = [  # float32 if the samples were
        (np.asarray(weights, dtype=np.float64), np.asarray(bias, dtype=np.float64))
        for weights, bias in zip(estimator.coefs_, estimator.intercepts_, strict=True)
    ]
    activations = X
    for weights, bias in layers[:-1]:
        activations = activations @ weights + bias
        if estimator.activation != "identity":
            activations = activations.op(_ACTIVATIONS[estimator.activation])
    weights, bias = layers[-1]
    raw = activations @ weights + bias
    if estimator.out_activation_ == "softmax":
        return from_probabilities(raw.softmax())
    second = raw.sigmoid()
    return Outputs(second_if_above(second, 0.5), binary_probabilities(second))


@transforms(BernoulliRBM)
def _bernoulli_rbm(machine: BernoulliRBM, X: Features) -> Features:
    weights = np.asarray(machine.components_, dtype=np.float64).T
    hidden = X.numbers() @ weights + np.asarray(machine.intercept_hidden_, dtype=np.float64)
    return from_tensor(hidden.sigmoid(), weights.shape[1])
