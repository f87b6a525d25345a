"""The classifier that does not look at its samples."""

from __future__ import annotations

import numpy as np
from sklearn.dummy import DummyClassifier

from training.export.converters.registry import Answer, writes
from training.export.converters.tensor import Tensor

DETERMINISTIC = ("most_frequent", "prior", "constant")


@writes(DummyClassifier)
def _dummy(estimator: DummyClassifier, X: Tensor) -> Answer:
    if estimator.strategy not in DETERMINISTIC:
        raise NotImplementedError("DummyClassifier that answers at random")
    if estimator.strategy == "constant":
        shares = (estimator.classes_ == np.ravel(estimator.constant)[0]).astype(np.float64)
    else:
        shares = estimator.class_prior_
    predicted = int(np.argmax(shares))
    if estimator.strategy == "most_frequent":
        shares = np.eye(len(shares))[predicted]
    nothing = X.op("Shape", start=0, end=1)  # one for each sample
    rows = nothing.op("Concat", np.array([1]), axis=0)
    probabilities = X.graph.tensor(shares.reshape(1, -1)).op("Expand", rows)
    return Answer(X.graph.tensor(np.array([predicted])).op("Expand", nothing), probabilities)
