"""Several classes from binary classifiers: sklearn.multiclass."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
    _ConstantPredictor,
)

from training.export.converters.features import Features
from training.export.converters.outputs import (
    Outputs,
    binary_probabilities,
    from_scores,
    require,
    second_if_above,
)
from training.export.converters.registry import binary_score, convert, delegates
from training.export.converters.tensor import Tensor, concatenate

SKLEARN_VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])


@delegates(_ConstantPredictor)
def _constant(estimator: Any, X: Features) -> Outputs:
    """Convert the stand-in for a class that every sample, or none, belongs to."""
    score = X.graph.repeat(np.array([float(estimator.y_[0])]))
    return Outputs(second_if_above(score, 0.5), binary_probabilities(score), score)


def _threshold(estimator: Any) -> float:
    return 0.0 if hasattr(estimator, "decision_function") else 0.5


@delegates(OneVsRestClassifier)
def _one_vs_rest(estimator: OneVsRestClassifier, X: Features) -> Outputs:
    members, classes = estimator.estimators_, len(estimator.classes_)
    if estimator.multilabel_:
        raise NotImplementedError("OneVsRestClassifier with several labels is not supported")
    scores = concatenate([binary_score(member, X) for member in members])
    if classes == 2:
        class_index = second_if_above(scores, _threshold(members[0]))
    else:
        # Of equal scores, scikit-learn before 1.8 takes the last.
        last = int(SKLEARN_VERSION < (1, 8))
        class_index = scores.op("ArgMax", axis=1, keepdims=0, select_last_index=last)
    has_scores = hasattr(estimator, "decision_function")
    return Outputs(class_index, _probabilities(members, X), scores if has_scores else None)


def _probabilities(members: list[Any], X: Features) -> Tensor | None:
    if not all(hasattr(member, "predict_proba") for member in members):
        return None
    columns = [require(convert(member, X).probabilities, member).column(1) for member in members]
    odds = binary_probabilities(columns[0]) if len(columns) == 1 else concatenate(columns)
    total = odds.sum()
    if SKLEARN_VERSION < (1, 7):  # 0 / 0 is NaN
        return odds / total
    return total.equal(0.0).where(odds, odds / total)


@delegates(OneVsOneClassifier)
def _one_vs_one(estimator: OneVsOneClassifier, X: Features) -> Outputs:
    members, classes = estimator.estimators_, len(estimator.classes_)
    if estimator.pairwise_indices_ is not None:
        raise NotImplementedError("OneVsOneClassifier with a precomputed kernel is not supported")
    wins = concatenate([convert(member, X).class_index.reshape(-1, 1) for member in members])
    confidences = concatenate([binary_score(member, X) for member in members])
    scores = one_vs_rest_scores(wins.cast(np.float64), confidences, classes)
    if classes > 2:
        return from_scores(scores, classes)
    second = scores.column(1)
    return Outputs(second_if_above(second, _threshold(members[0])), scores=second)


def one_vs_rest_scores(wins: Tensor, confidences: Tensor, classes: int) -> Tensor:
    """Return scores of shape (samples, classes) from those of each pair of classes.

    The same as `sklearn.utils.multiclass._ovr_decision_function`. `wins` is 1 where the second
    class of a pair wins, else 0; `confidences` are in favour of it; both (samples, pairs).
    """
    pairs = class_pairs(classes)
    first, second = np.eye(classes)[pairs[:, 0]], np.eye(classes)[pairs[:, 1]]
    votes: Tensor = (1.0 - wins) @ first + wins @ second
    confidence: Tensor = confidences @ (second - first)
    return votes + confidence / ((confidence.abs() + 1.0) * 3.0)


def class_pairs(classes: int) -> npt.NDArray[np.int64]:
    """Return the pairs of class indices in scikit-learn's and libsvm's order, shape (pairs, 2)."""
    return np.array([(i, j) for i in range(classes) for j in range(i + 1, classes)])


@delegates(OutputCodeClassifier)
def _output_code(estimator: OutputCodeClassifier, X: Features) -> Outputs:
    code = np.asarray(estimator.code_book_, dtype=np.float64)
    scores = concatenate([binary_score(member, X) for member in estimator.estimators_])
    # The squared distance to each class's code, without the term that all classes share.
    return Outputs((scores @ (-2.0 * code.T) + (code * code).sum(axis=1)).argmin())
