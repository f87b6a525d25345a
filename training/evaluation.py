"""How good a classifier is: every figure with the samples it was measured on and its interval."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.base import ClassifierMixin, clone
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.utils import _safe_indexing

from training.data.fitted_columns import make_table
from training.data.table import Table
from training.errors import NotServable, first_line

LOG = logging.getLogger(__name__)

CONFIDENCE = 0.95
FOLDS = 5
TIME_LIMIT_SECONDS = 60.0  # of a cross-validation; the fold that exceeds it is the last
ON_TEST_DATA = "on test data"
ON_FITTED_DATA = "on the data it was fitted on"

_NO_CLASS = -1  # the index of a label that is none of the classes


class Estimate(NamedTuple):
    """A share, between 0 and 1, and its confidence interval."""

    estimate: float
    low: float
    high: float


class Predictions(NamedTuple):
    """Labels and what was predicted for them, as indices of classes.

    Parameters
    ----------
    labels : numpy.ndarray of int
        Shape (samples,); -1 for a label that is none of the classes.
    predicted : numpy.ndarray of int
        Shape (samples,).
    """

    labels: npt.NDArray[np.intp]
    predicted: npt.NDArray[np.intp]

    @classmethod
    def from_labels(
        cls, labels: Iterable[Any], predicted: Iterable[Any], classes: Sequence[Any]
    ) -> Predictions:
        """Look labels up among the classes: as values, else as text, which files may have."""
        by_label = {str(label): index for index, label in enumerate(classes)}
        by_label |= {label: index for index, label in enumerate(classes)}
        return cls(
            *(
                np.array(
                    [by_label.get(each, by_label.get(str(each), _NO_CLASS)) for each in part],
                    dtype=np.intp,
                )
                for part in (np.asarray(labels).tolist(), np.asarray(predicted).tolist())
            )
        )

    def is_correct(self) -> npt.NDArray[np.bool_]:
        """Return which predictions are right."""
        correct: npt.NDArray[np.bool_] = self.labels == self.predicted
        return correct


def evaluate(
    estimator: ClassifierMixin,
    table: Table,
    y: npt.NDArray[Any],
    *,
    predicted: Sequence[Any],
    test: tuple[Any, npt.ArrayLike] | None = None,
    folds: int = 0,
    feature_names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Measure a fitted classifier on test data, else by cross-validation, else on what is given.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    table : Table
        Samples that it was fitted on, or like those.
    y : numpy.ndarray
        Shape (samples,): their labels.
    predicted : sequence
        Shape (samples,): what the estimator predicts for them.
    test : tuple of array-like, optional
        Samples and labels that the estimator was not fitted on.
    folds : int, default=0
        Of the cross-validation of clones, which are fitted anew; 0 for none. It ends after
        `TIME_LIMIT_SECONDS` with the folds that are done, at least one.
    feature_names : sequence of str, optional
        Names of the columns of the test data, if it is a matrix.

    Returns
    -------
    dict
        JSON types, as in a manifest's ``metrics``: ``accuracy``, ``baselines`` and ``by_class``.

    Raises
    ------
    NotServable
        If the test data does not fit the estimator.
    """
    classes = np.asarray(estimator.classes_).tolist()
    fitted = Predictions.from_labels(y, predicted, classes)
    majority = int(np.bincount(fitted.labels[fitted.labels != _NO_CLASS]).argmax())
    if test is not None:
        tested = _predict_test(estimator, *test, feature_names)
        return _describe(tested, classes, majority, ON_TEST_DATA, wilson(tested.is_correct()))
    if folds:
        X = table.to_estimator_input(table.samples)
        try:
            return _evaluate_by_cross_validation(estimator, X, y, classes, majority, folds)
        except Exception as error:  # a clone may raise anything
            LOG.warning("the accuracy is measured %s: %s", ON_FITTED_DATA, first_line(error))
    return _describe(fitted, classes, majority, ON_FITTED_DATA, wilson(fitted.is_correct()))


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
    _, low, high = _wilson(round(mean * samples), samples)
    if k > 1:
        error = np.sqrt((1 / k + 1 / (folds - 1)) * accuracies.var(ddof=1))
        margin = float(stats.t.ppf((1 + CONFIDENCE) / 2, df=k - 1) * error)
        low, high = min(low, max(0.0, mean - margin)), max(high, min(1.0, mean + margin))
    return Estimate(mean, low, high)


def wilson(outcomes: npt.NDArray[np.bool_]) -> Estimate:
    """Return the share of true outcomes, at least one, with Wilson's `CONFIDENCE` interval."""
    return _wilson(int(outcomes.sum()), len(outcomes))


def describe_by_class(
    predictions: Predictions, classes: Sequence[Any], method: str
) -> dict[str, Any]:
    """Return the confusion matrix, and the precision and recall of each class.

    Parameters
    ----------
    predictions : Predictions
    classes : sequence
        The labels that the indices stand for.
    method : str
        How the predictions were made.

    Returns
    -------
    dict
        JSON types: ``method``, ``samples`` (count), ``classes`` (names), ``confusion_matrix`` (rows
        are true classes, columns predicted ones) and ``per_class``, which maps each class to its
        ``samples``, ``precision`` and ``recall``: each an estimate with Wilson's interval, or None
        without samples.
    """
    labels, predicted = predictions.labels, predictions.predicted
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    is_known = (labels != _NO_CLASS) & (predicted != _NO_CLASS)
    np.add.at(counts, (labels[is_known], predicted[is_known]), 1)
    return {
        "method": method,
        "samples": len(labels),
        "classes": [str(label) for label in classes],
        "confusion_matrix": counts.tolist(),
        "per_class": {
            str(label): {
                "samples": int((labels == index).sum()),
                "precision": _share(labels[predicted == index] == index),
                "recall": _share(predicted[labels == index] == index),
            }
            for index, label in enumerate(classes)
        },
    }


def _predict_test(
    estimator: Any, X: Any, y: npt.ArrayLike, feature_names: Sequence[str] | None
) -> Predictions:
    labels = np.asarray(y).ravel()
    table = make_table(estimator, X, feature_names)
    if len(table) != len(labels):
        raise NotServable(f"The test data has {len(table)} samples and {len(labels)} labels.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            predicted = np.asarray(estimator.predict(table.to_estimator_input(table.samples)))
        except Exception as error:  # an estimator may raise anything
            raise NotServable(
                f"{type(estimator).__name__} cannot predict the test data: {first_line(error)}"
            ) from error
    return Predictions.from_labels(labels, predicted.ravel(), estimator.classes_.tolist())


def _evaluate_by_cross_validation(
    estimator: Any,
    X: Any,
    y: npt.NDArray[Any],
    classes: Sequence[Any],
    majority: int,
    folds: int,
) -> dict[str, Any]:
    if _has_fitted_part(estimator):
        raise NotServable("a part of the estimator was fitted before (prefit or frozen)")
    _, counts = np.unique(y, return_counts=True)
    folds = min(folds, max(2, int(counts.min())))
    LOG.info("cross-validating %d clones", folds)
    best = getattr(estimator, "best_estimator_", estimator)  # not the search again for each fold
    results = cross_validate(
        best, X, y, classes=classes, folds=folds, time_limit=TIME_LIMIT_SECONDS
    )
    done = "" if len(results) == folds else f"{len(results)} of the folds of "
    method = f"by {done}{folds}-fold stratified cross-validation"
    if best is not estimator:
        method += " of the best estimator that the search found"
    accuracy = cross_validated_accuracy(results, folds=folds)
    pooled = Predictions(*(np.concatenate(part) for part in zip(*results, strict=True)))
    return _describe(pooled, classes, majority, method, accuracy)


def _has_fitted_part(estimator: Any) -> bool:
    """Return whether a clone keeps something that was fitted, on samples of every fold."""
    return any(
        type(value).__name__ == "FrozenEstimator"
        or (name.rpartition("__")[2] == "cv" and value == "prefit")
        or (name.rpartition("__")[2] == "prefit" and value is True)
        for name, value in estimator.get_params(deep=True).items()
    )


def _describe(
    predictions: Predictions,
    classes: Sequence[Any],
    majority: int,
    method: str,
    accuracy: Estimate,
) -> dict[str, Any]:
    return {
        "accuracy": {
            **accuracy._asdict(),
            "confidence": CONFIDENCE,
            "samples": len(predictions.labels),
            "method": method,
        },
        "baselines": {"majority_class": wilson(predictions.labels == majority)._asdict()},
        "by_class": describe_by_class(predictions, classes, method),
    }


def _share(outcomes: npt.NDArray[np.bool_]) -> dict[str, float] | None:
    return wilson(outcomes)._asdict() if len(outcomes) else None


def _wilson(successes: int, trials: int) -> Estimate:
    interval = stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(successes / trials, float(interval.low), float(interval.high))
