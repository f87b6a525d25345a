"""Evaluate an estimator: cross-validated accuracy with an interval, and metrics on a holdout."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from scipy import stats
from sklearn.base import ClassifierMixin, clone
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support
from sklearn.model_selection import RepeatedStratifiedKFold

from training.wine.dataset import Dataset

FOLDS = 10
REPEATS = 10
CONFIDENCE = 0.95


class Accuracy(NamedTuple):
    """An accuracy, between 0 and 1, and its confidence interval."""

    estimate: float
    low: float
    high: float


def cross_validated_accuracy(
    estimator: ClassifierMixin,
    dataset: Dataset,
    *,
    seed: int,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> Accuracy:
    """Estimate an estimator's accuracy by repeated stratified cross-validation.

    The estimator is cloned for each fold; `progress` wraps the iteration over the folds.

    The `CONFIDENCE` interval is that of the corrected resampled t-test. It allows for the samples
    that folds share: the variance of the mean of k accuracies is (1/k + test/train) times their
    variance. Source: Nadeau and Bengio, Inference for the generalization error, Machine Learning
    52 (2003), equation 8.
    """
    X, y, _ = dataset
    folds = list(
        RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=seed).split(X, y)
    )
    accuracies = np.array(
        [
            accuracy_score(y[test], clone(estimator).fit(X[train], y[train]).predict(X[test]))
            for train, test in progress(folds)
        ]
    )
    mean, k = float(accuracies.mean()), len(accuracies)
    error = np.sqrt((1 / k + 1 / (FOLDS - 1)) * accuracies.var(ddof=1))
    margin = float(stats.t.ppf((1 + CONFIDENCE) / 2, df=k - 1) * error)
    return Accuracy(mean, max(0.0, mean - margin), min(1.0, mean + margin))


def holdout_metrics(estimator: ClassifierMixin, test: Dataset) -> dict[str, Any]:
    """Evaluate a fitted estimator on samples that it was not fitted on.

    Returns
    -------
    dict
        JSON types: ``samples`` (count), ``accuracy``, ``classes`` (names), ``confusion_matrix``
        (rows are true classes, columns predicted ones) and ``per_class``, which maps each class to
        its ``precision``, ``recall``, ``f1`` and ``samples``.
    """
    predicted = estimator.predict(test.X)
    classes = estimator.classes_.tolist()
    metrics = precision_recall_fscore_support(test.y, predicted, labels=classes, zero_division=0.0)
    names = [str(label) for label in classes]
    return {
        "samples": len(test.y),
        "accuracy": float(accuracy_score(test.y, predicted)),
        "classes": names,
        "confusion_matrix": confusion_matrix(test.y, predicted, labels=classes).tolist(),
        "per_class": {
            name: {"precision": row[0], "recall": row[1], "f1": row[2], "samples": int(row[3])}
            for name, row in zip(names, np.transpose(metrics).tolist(), strict=True)
        },
    }
