"""Support vector machines, computed as libsvm does: sklearn.svm."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.svm import SVC, LinearSVC, NuSVC

from training.export.converters.distances import squared_distances
from training.export.converters.linear_model import linear_outputs
from training.export.converters.multiclass import class_pairs, one_vs_rest_scores
from training.export.converters.outputs import Outputs, second_if_above
from training.export.converters.pairwise_coupling import couple
from training.export.converters.registry import converts
from training.export.converters.tensor import Tensor

_SMALLEST_PROBABILITY = 1e-7  # of a class in a pair


@converts(LinearSVC)
def _linear_svc(estimator: LinearSVC, X: Tensor) -> Outputs:
    return linear_outputs(estimator, X)


@converts(SVC, NuSVC)
def _svc(estimator: Any, X: Tensor) -> Outputs:
    classes = len(estimator.classes_)
    decisions = _kernel(estimator, X) @ _dual_coefficients(estimator) + estimator._intercept_
    probabilities = None
    if estimator.probability is True:
        probabilities = couple(_pairwise_probabilities(estimator, decisions), classes)
    if classes == 2:
        class_index = np.array(1) - second_if_above(decisions, 0.0)
        return Outputs(class_index, probabilities, scores=-decisions)
    wins = (-decisions >= 0.0).cast(np.float64)  # libsvm gives a tie to the second class
    scores = one_vs_rest_scores((-decisions > 0.0).cast(np.float64), -decisions, classes)
    if estimator.break_ties:
        return Outputs(scores.argmax(), probabilities, scores)
    pairs = class_pairs(classes)
    first, second = np.eye(classes)[pairs[:, 0]], np.eye(classes)[pairs[:, 1]]
    votes = (1.0 - wins) @ first + wins @ second
    one_vs_rest = estimator.decision_function_shape == "ovr"
    return Outputs(votes.argmax(), probabilities, scores if one_vs_rest else -decisions)


def _pairwise_probabilities(estimator: Any, decisions: Tensor) -> Tensor:
    """Return the probability of the first class of each pair, shape (samples, pairs)."""
    exponents: Tensor = decisions * estimator._probA + estimator._probB
    return (-exponents).sigmoid().clip(_SMALLEST_PROBABILITY, 1.0 - _SMALLEST_PROBABILITY)


def _kernel(estimator: Any, X: Tensor) -> Tensor:
    """Return the kernel, shape (samples, support vectors)."""
    vectors = _dense(estimator.support_vectors_)
    gamma = float(estimator._gamma)
    if estimator.kernel == "rbf":
        return (squared_distances(X, vectors) * -gamma).exp()
    product: Tensor = X @ vectors.T
    if estimator.kernel == "linear":
        return product
    scaled = product * gamma + float(estimator.coef0)
    if estimator.kernel == "poly":
        return scaled.op("Pow", float(estimator.degree))
    if estimator.kernel == "sigmoid":
        return scaled.op("Tanh")
    raise NotImplementedError(
        f"{type(estimator).__name__} with the kernel {estimator.kernel!r} is not supported"
    )


def _dual_coefficients(estimator: Any) -> npt.NDArray[np.float64]:
    """Return the weight of each support vector for each pair of classes: (vectors, pairs).

    libsvm keeps, for a support vector of class i, the coefficient against class j in row j - 1
    if j > i, else in row j.
    """
    class_of_vector = np.repeat(np.arange(len(estimator.classes_)), estimator._n_support)
    pairs, coefficients = class_pairs(len(estimator.classes_)), _dense(estimator._dual_coef_)
    weights = np.zeros((len(class_of_vector), len(pairs)))
    for pair, (first, second) in enumerate(pairs):
        is_first, is_second = class_of_vector == first, class_of_vector == second
        weights[is_first, pair] = coefficients[second - 1, is_first]
        weights[is_second, pair] = coefficients[first, is_second]
    return weights


def _dense(matrix: Any) -> npt.NDArray[np.float64]:
    """Return a matrix as an array; it is sparse if the samples were."""
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=np.float64)
