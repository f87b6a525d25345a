"""Which features matter: how much accuracy is lost if their values are shuffled."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.inspection import permutation_importance

from training.data.table import Table
from training.evaluation.estimates import CONFIDENCE, Predictions

MAX_SAMPLES = 500
REPEATS = 10
MAX_LISTED = 20
TIME_LIMIT_SECONDS = 10.0  # estimated before


def measure_importance(
    estimator: Any, table: Table, y: npt.NDArray[Any], method: str
) -> dict[str, Any] | None:
    """Return the permutation importance of the features that matter most.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    table : Table
        Samples; a random `MAX_SAMPLES` of more.
    y : numpy.ndarray
        Shape (samples,): their labels.
    method : str
        Which samples they are.

    Returns
    -------
    dict or None
        JSON types: ``method``, ``samples`` (count), and ``features``, at most `MAX_LISTED`, each
        with its ``name`` and the mean loss of accuracy over `REPEATS` shuffles as an estimate, with
        the `CONFIDENCE` interval of that mean, which allows for the shuffling alone. None if the
        estimator takes a sequence of texts, or it would take longer than `TIME_LIMIT_SECONDS`.
    """
    if table.is_text_sequence:
        return None
    random = np.random.default_rng(0)
    rows = np.arange(len(table))
    if len(rows) > MAX_SAMPLES:
        rows = np.sort(random.choice(rows, MAX_SAMPLES, replace=False))
    X, labels = table.to_estimator_input(table.samples.take(rows.tolist())), y[rows]
    classes = np.asarray(estimator.classes_).tolist()

    def accuracy(estimator: Any, X: Any, labels: npt.NDArray[Any]) -> float:
        predictions = Predictions.from_labels(labels, estimator.predict(X), classes)
        return float(predictions.is_correct().mean())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = time.perf_counter()
        accuracy(estimator, X, labels)
        seconds = time.perf_counter() - started
        if seconds * REPEATS * len(table.names) > TIME_LIMIT_SECONDS:
            return None
        importances = permutation_importance(
            estimator, X, labels, scoring=accuracy, n_repeats=REPEATS, random_state=0
        ).importances
    width = len(table.names) + len(table.unused_columns)
    if importances.shape[0] == width:  # the unused columns are there, without values
        importances = np.delete(importances, table.unused_columns, axis=0)
    means = importances.mean(axis=1)
    errors = importances.std(axis=1, ddof=1) / np.sqrt(REPEATS)
    margins = stats.t.ppf((1 + CONFIDENCE) / 2, df=REPEATS - 1) * errors
    most = np.argsort(-means, kind="stable")[:MAX_LISTED]
    return {
        "method": method,
        "samples": len(rows),
        "features": [
            {
                "name": table.names[index],
                "estimate": float(means[index]),
                "low": float(means[index] - margins[index]),
                "high": float(means[index] + margins[index]),
            }
            for index in most
        ],
    }
