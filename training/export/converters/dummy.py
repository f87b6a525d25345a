"""The classifier that ignores its features: sklearn.dummy."""

from __future__ import annotations

import numpy as np
from sklearn.dummy import DummyClassifier

from training.export.converters.outputs import Outputs
from training.export.converters.registry import converts
from training.export.converters.tensor import Tensor

_DETERMINISTIC = ("most_frequent", "prior", "constant")


@converts(DummyClassifier)
def _dummy(estimator: DummyClassifier, X: Tensor) -> Outputs:
    if estimator.strategy not in _DETERMINISTIC:
        raise NotImplementedError("DummyClassifier with random predictions is not supported")
    if estimator.strategy == "constant":
        row = (estimator.classes_ == np.ravel(estimator.constant)[0]).astype(np.float64)
    else:
        row = estimator.class_prior_
    class_index = int(np.argmax(row))
    if estimator.strategy == "most_frequent":
        row = np.eye(len(row))[class_index]
    row_count = X.op("Shape", start=0, end=1)
    shape = row_count.op("Concat", np.array([1]), axis=0)
    probabilities = X.graph.tensor(row.reshape(1, -1)).op("Expand", shape)
    return Outputs(X.graph.tensor(np.array([class_index])).op("Expand", row_count), probabilities)
