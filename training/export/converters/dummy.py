"""The classifier that ignores its features: sklearn.dummy."""

from __future__ import annotations

import numpy as np
from sklearn.dummy import DummyClassifier

from training.export.converters.features import Features
from training.export.converters.outputs import Outputs
from training.export.converters.registry import delegates

_DETERMINISTIC = ("most_frequent", "prior", "constant")


@delegates(DummyClassifier)
def _dummy(estimator: DummyClassifier, X: Features) -> Outputs:
    if estimator.strategy not in _DETERMINISTIC:
        raise NotImplementedError("DummyClassifier with random predictions is not supported")
    if estimator.strategy == "constant":
        row = (estimator.classes_ == np.ravel(estimator.constant)[0]).astype(np.float64)
    else:
        row = estimator.class_prior_
    class_index = int(np.argmax(row))
    if estimator.strategy == "most_frequent":
        row = np.eye(len(row))[class_index]
    predicted = X.graph.repeat(np.array([class_index])).reshape(-1)
    return Outputs(predicted, X.graph.repeat(row.astype(np.float64)))
