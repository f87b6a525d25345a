"""Measure clones of a classifier on the samples that they were not fitted on."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.base import ClassifierMixin, clone
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.utils import _safe_indexing

from training.evaluation.estimates import CONFIDENCE, Estimate, Predictions, wilson_of_counts


def cross_validate(
    estimator: ClassifierMixin,
    X: Any,
    y: npt.NDArray[Any],
    *,
    classes: Sequence[Any],
    folds: int,
    repeats: int = 1,
    seed: int = 0,
    time_limit: float = float("inf"),
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> list[Predictions]:
    """Predict each fold by a clone that was fitted on the others, stratified by class.

    Each repeat divides the samples anew. After `time_limit` seconds, no further fold is begun.
    `progress` wraps the iteration over the folds.
    """
    splitter = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=seed)
    results: list[Predictions] = []
    started = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for train, test in progress(list(splitter.split(np.zeros(len(y)), y))):
            if results and time.monotonic() - started > time_limit:
                break
            fitted = clone(estimator).fit(_safe_indexing(X, train), y[train])
            predicted = fitted.predict(_safe_indexing(X, test))
            results.append(Predictions.from_labels(y[test], predicted, classes))
    return results


def cross_validated_accuracy(results: Sequence[Predictions], *, folds: int) -> Estimate:
    """Return the mean of the folds' accuracies and its `CONFIDENCE` interval.

    Of two intervals it has the lower and the higher end: that of the corrected resampled t-test,
    which allows for the samples that folds share (the variance of the mean of k accuracies is
    (1/k + test/train) times their variance; Nadeau and Bengio, Inference for the generalization
    error, Machine Learning 52 (2003), equation 8), and Wilson's for the samples of one repeat,
    which has a width even if all folds agree.
    """
    accuracies = np.array([result.is_correct().mean() for result in results])
    mean, k = float(accuracies.mean()), len(accuracies)
    samples = sum(len(result.labels) for result in results[:folds])
    _, low, high = wilson_of_counts(round(mean * samples), samples)
    if k > 1:
        error = np.sqrt((1 / k + 1 / (folds - 1)) * accuracies.var(ddof=1))
        margin = float(stats.t.ppf((1 + CONFIDENCE) / 2, df=k - 1) * error)
        low, high = min(low, max(0.0, mean - margin)), max(high, min(1.0, mean + margin))
    return Estimate(mean, low, high)


def has_fitted_part(estimator: Any) -> bool:
    """Return whether a clone keeps something that was fitted, on samples of every fold."""
    return any(
        type(value).__name__ == "FrozenEstimator"
        or (name.rpartition("__")[2] == "cv" and value == "prefit")
        or (name.rpartition("__")[2] == "prefit" and value is True)
        for name, value in estimator.get_params(deep=True).items()
    )
