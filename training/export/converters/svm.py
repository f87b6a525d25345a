"""Support vector machines, as libsvm decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.svm import SVC, NuSVC

from training.export.converters.kernels import svm_kernel
from training.export.converters.multiclass import class_pairs, votes_with_confidence
from training.export.converters.registry import Answer, is_above, writes
from training.export.converters.tensor import Tensor


@writes(SVC, NuSVC)
def _support_vectors(estimator: Any, X: Tensor) -> Answer:
    if estimator.probability is True:
        raise NotImplementedError(f"{type(estimator).__name__} with probability=True")
    classes = len(estimator.classes_)
    decisions = svm_kernel(estimator, X) @ _dual_coefficients(estimator) + estimator._intercept_
    if classes == 2:
        return Answer(np.array(1) - is_above(decisions, 0.0), scores=-decisions)
    wins = (-decisions >= 0.0).cast(np.float64)  # libsvm gives a tie to the second class
    scores = votes_with_confidence((-decisions > 0.0).cast(np.float64), -decisions, classes)
    if estimator.break_ties:
        return Answer(scores.argmax(), scores=scores)
    pairs = class_pairs(classes)
    first, second = np.eye(classes)[pairs[:, 0]], np.eye(classes)[pairs[:, 1]]
    votes = (1.0 - wins) @ first + wins @ second
    ovr = estimator.decision_function_shape == "ovr"
    return Answer(votes.argmax(), scores=scores if ovr else -decisions)


def _dual_coefficients(estimator: Any) -> npt.NDArray[np.float64]:
    """Give what each support vector adds to the decision between each pair of classes.

    libsvm keeps, for a support vector of class i, the coefficient against class j in row j - 1
    if j > i and in row j if not.
    """
    of_class = np.repeat(np.arange(len(estimator.classes_)), estimator._n_support)
    pairs = class_pairs(len(estimator.classes_))
    weights = np.zeros((len(of_class), len(pairs)))
    for pair, (first, second) in enumerate(pairs):
        weights[of_class == first, pair] = estimator._dual_coef_[second - 1, of_class == first]
        weights[of_class == second, pair] = estimator._dual_coef_[first, of_class == second]
    return weights
