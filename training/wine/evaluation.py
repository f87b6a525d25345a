"""How good an estimator is, with an interval, and where a fitted one goes wrong."""

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
    """An accuracy and the interval in which it lies.

    Parameters
    ----------
    estimate : float
        Between 0 and 1.
    low, high : float
        The ends of the confidence interval.
    """

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

    Parameters
    ----------
    estimator : classifier
        Cloned for each fold; need not be fitted.
    dataset : Dataset
        The samples.
    seed : int
        The same seed gives the same folds.
    progress : callable, optional
        Wraps the folds as they are gone through, to show how far it is.

    Returns
    -------
    Accuracy
        With a `CONFIDENCE` interval by the corrected resampled t-test, which allows for the
        folds' sharing their samples: the variance of the mean of k accuracies is
        (1/k + test/train) times their variance. Source: Nadeau and Bengio, Inference for the
        generalization error, Machine Learning 52 (2003), equation 8.
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
    """Test a fitted estimator on samples that it was not fitted on.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    test : Dataset
        The samples.

    Returns
    -------
    dict
        ``samples``: how many; ``accuracy``; ``classes``: their names; ``confusion_matrix``: a row
        for each true class, a column for each predicted one; ``per_class``: for each class its
        ``precision``, ``recall``, ``f1`` and ``samples``. All of it can be written as JSON.
    """
    predicted = estimator.predict(test.X)
    classes = estimator.classes_.tolist()
    figures = precision_recall_fscore_support(test.y, predicted, labels=classes, zero_division=0.0)
    names = [str(label) for label in classes]
    return {
        "samples": len(test.y),
        "accuracy": float(accuracy_score(test.y, predicted)),
        "classes": names,
        "confusion_matrix": confusion_matrix(test.y, predicted, labels=classes).tolist(),
        "per_class": {
            name: {"precision": row[0], "recall": row[1], "f1": row[2], "samples": int(row[3])}
            for name, row in zip(names, np.transpose(figures).tolist(), strict=True)
        },
    }
