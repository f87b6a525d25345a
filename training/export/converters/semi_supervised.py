"""Classifiers fitted on partly labelled samples: sklearn.semi_supervised."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.semi_supervised import LabelPropagation, LabelSpreading, SelfTrainingClassifier

from training.export.converters.distances import squared_distances
from training.export.converters.features import Features
from training.export.converters.nearest import nearest
from training.export.converters.outputs import Outputs, from_probabilities
from training.export.converters.registry import convert, converts, delegates
from training.export.converters.tensor import Tensor


@delegates(SelfTrainingClassifier)
def _self_training(estimator: SelfTrainingClassifier, X: Features) -> Outputs:
    return convert(estimator.estimator_, X)


@converts(LabelPropagation, LabelSpreading)
def _label_propagation(estimator: Any, X: Tensor) -> Outputs:
    """Weigh the labels by the kernel; NaN, as in scikit-learn, for a sample far from all."""
    labels = estimator.label_distributions_
    if estimator.kernel == "rbf":
        votes = (squared_distances(X, estimator.X_) * -float(estimator.gamma)).exp() @ labels
    elif estimator.kernel == "knn":
        _, codes = np.unique(labels, axis=0, return_inverse=True)
        _, indices = nearest(estimator.nn_fit, X, estimator.n_neighbors, codes.ravel())
        votes = X.graph.tensor(labels).take(indices, axis=0).sum_in_order(axis=1)
    else:
        raise NotImplementedError(
            f"{type(estimator).__name__} with a custom kernel is not supported"
        )
    return from_probabilities(votes / votes.sum())
