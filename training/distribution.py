"""The training distribution of a model, for its manifest: counts of samples in bins."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from chalicelib.inputs.signature import Feature, Signature
from training.data.table import Table
from training.disclosure import MIN_SAMPLES
from training.evaluation.metrics import ON_FITTED_DATA

MAX_BINS = 20  # of a feature, with those of other and of missing values
MIN_BINS = 5  # of a feature of a wide table
MAX_FEATURES = 5_000  # evenly spread; a summary in the log is then below its limit of 256 KB
MAX_CELLS = 25_000  # bins of all features
BIN_SAMPLES = 15  # a bin of fewer is too uncertain
MAX_SAMPLES = 100_000  # of the table, at random; more make no difference
MAX_CATEGORY_CHARACTERS = 100

# The probability that a comparison without drift finds any, in any feature or the predictions.
FALSE_ALARM_RATE = 1e-4


def describe_distribution(
    table: Table,
    signature: Signature,
    *,
    predicted: Sequence[str],
    metrics: dict[str, Any] | None = None,
    private: Collection[str] = (),
) -> dict[str, Any]:
    """Count the samples of a table in bins.

    Parameters
    ----------
    table : Table
    signature : Signature
    predicted : sequence of str
        Shape (samples,): the labels that the estimator predicts for the table.
    metrics : dict, optional
        From `training.evaluation.evaluate`. Predictions of samples that the estimator was not
        fitted on are like those that it will make; those of its training data may not be.
    private : collection of str
        Names of features of which no value is kept, but limits of bins.

    Returns
    -------
    dict
        JSON types. ``features``, in the order of the signature, and ``predictions`` each have
        ``counts``: of numbers in the bins between ``edges``, of texts of each of the
        ``categories`` and of others, or of texts by their ``lengths``; the last one is of missing
        values, which ``predictions`` has not. A feature that is not counted, of a very wide table,
        is None. ``critical`` has the critical values of
        `chalicelib.monitoring.drift_index.drift_index` by degrees of freedom.
    """
    rows = _choose_rows(len(table))
    step = math.ceil(len(signature.features) / MAX_FEATURES)
    most = max(MIN_BINS, min(MAX_BINS, MAX_CELLS // len(signature.features)))
    features = [
        None
        if index % step
        else _describe_feature(feature, table.column(index)[rows], most, feature.name in private)
        for index, feature in enumerate(signature.features)
    ]
    labels = _unseen_predictions(metrics) or [predicted[row] for row in rows]
    predictions = _describe_classes(labels, signature.classes)
    described = [each for each in (*features, predictions) if each is not None]
    return {
        "false_alarm_rate": FALSE_ALARM_RATE,
        "critical": critical_values([len(each["counts"]) for each in described]),
        "features": features,
        "predictions": predictions,
    }


def _choose_rows(samples: int) -> npt.NDArray[np.intp]:
    if samples <= MAX_SAMPLES:
        return np.arange(samples)
    return np.sort(np.random.default_rng(0).choice(samples, MAX_SAMPLES, replace=False))


def critical_values(sizes: Sequence[int]) -> dict[str, float]:
    """Return the critical values by degrees of freedom, corrected for the number of tests.

    Each feature has two tests, so that each has half of its share of the rate (Bonferroni).
    """
    rate = FALSE_ALARM_RATE / (2 * len(sizes))
    freedoms = sorted({1, *(size - 1 for size in sizes)} - {0})
    return {str(freedom): round(float(chi2.isf(rate, freedom)), 3) for freedom in freedoms}


def _describe_feature(
    feature: Feature, column: npt.NDArray[Any], most: int, is_private: bool
) -> dict[str, Any]:
    if feature.kind == "boolean":
        present = column[np.isfinite(column)]
        true = int(present.sum())
        counts = [len(present) - true, true, len(column) - len(present)]
        return {"edges": [0.5], "counts": counts}
    if feature.kind != "categorical":
        edges, counts = _count_numbers(column, most)
        return {"edges": edges, "counts": counts}
    texts: list[str | None] = column.tolist()
    if not is_private:
        categories, counts = _count_categories(texts, most)
        if 2 * sum(counts[: len(categories)]) >= sum(counts[:-1]):
            return {"categories": categories, "counts": counts}
    lengths = np.array([math.nan if text is None else float(len(text)) for text in texts])
    edges, counts = _count_numbers(lengths, most)
    return {"lengths": edges, "counts": counts}


def _count_numbers(column: npt.NDArray[np.float64], most: int) -> tuple[list[float], list[int]]:
    """Return edges of bins with about equal shares, and the counts with that of missing values."""
    present = column[np.isfinite(column)]
    edges = _find_edges(*np.unique(present, return_counts=True), most - 1)
    bins = np.searchsorted(edges, present, side="right")
    counts = np.bincount(bins, minlength=len(edges) + 1).tolist()
    return edges, [*counts, len(column) - len(present)]


def _find_edges(
    values: npt.NDArray[np.float64], repeats: npt.NDArray[np.intp], most: int
) -> list[float]:
    """Return the edges of at most so many bins of sorted distinct values.

    A value that half of the samples have has a bin, even if no others are below or above it.
    """
    if not len(values):
        return []
    cuts = _find_cuts(repeats, min(most, int(repeats.sum()) // BIN_SAMPLES))
    frequent = int(repeats.argmax())
    around: list[float] = []
    if 2 * repeats[frequent] >= repeats.sum() >= MIN_SAMPLES:
        value = values[frequent]
        around = [float(value), float(np.nextafter(value, np.inf))]
        cuts = [cut for cut in cuts if cut not in (frequent, frequent + 1)][: most - 3]
    edges = [_simplest_between(float(values[cut - 1]), float(values[cut])) for cut in cuts]
    return sorted([*edges, *around])


def _find_cuts(repeats: npt.NDArray[np.intp], bins: int) -> list[int]:
    """Return before which of the sorted distinct values to cut."""
    if bins < 2 or len(repeats) < 2:
        return []
    below = np.cumsum(repeats)
    rows = int(below[-1])
    cuts: list[int] = []
    start = 0
    for target in rows * np.arange(1, bins) / bins:
        after = int(np.searchsorted(below, target))
        is_before = after > 0 and target - below[after - 1] < below[after] - target
        cut = after - 1 if is_before else after
        if min(below[cut] - start, rows - below[cut]) >= MIN_SAMPLES:
            cuts.append(cut + 1)
            start = int(below[cut])
    return cuts


def _simplest_between(low: float, high: float) -> float:
    """Return the number of fewest digits that is above `low`, and not above `high`."""
    below, above = Decimal(repr(low)), Decimal(repr(high))
    gap = above - below
    step = Decimal(1).scaleb(gap.adjusted() + 1)
    for _ in range(3):
        number = float((above / step).to_integral_value(rounding=ROUND_FLOOR) * step)
        if low < number <= high:
            return number
        step /= 10
    return high


def _count_categories(texts: list[str | None], most: int) -> tuple[list[str], list[int]]:
    """Return the most frequent categories, and the counts with those of others and missing ones.

    Where there are others, half of the samples select the categories, and the other half is
    counted: the most frequent of many seem more frequent than they are.
    """
    totals = Counter(text for text in texts if text is not None)
    is_shared = {
        text
        for text, count in totals.items()
        if count >= MIN_SAMPLES and len(text) <= MAX_CATEGORY_CHARACTERS
    }
    selecting, counted = texts, texts
    if len(is_shared) < len(totals) or len(totals) > most - 2:
        order = np.random.default_rng(0).permutation(len(texts)).tolist()
        middle = len(texts) // 2
        selecting, counted = [
            [texts[row] for row in part] for part in (order[:middle], order[middle:])
        ]
    ranked = Counter(text for text in selecting if text in is_shared)
    categories = sorted(text for text, _ in ranked.most_common(most - 2) if text is not None)
    counts = Counter(counted)
    listed = [counts[text] for text in categories]
    missing = counts[None]
    return categories, [*listed, len(counted) - sum(listed) - missing, missing]


def _unseen_predictions(metrics: dict[str, Any] | None) -> list[str] | None:
    """Return the predictions of samples that the estimator has not seen, if it was measured so."""
    by_class = (metrics or {}).get("by_class")
    if not by_class or by_class["method"] == ON_FITTED_DATA:
        return None
    counts = np.sum(by_class["confusion_matrix"], axis=0).tolist()
    return [
        label
        for label, count in zip(by_class["classes"], counts, strict=True)
        for _ in range(count)
    ]


def _describe_classes(labels: Sequence[str], classes: Sequence[str]) -> dict[str, Any]:
    """Count predictions of the most frequent classes and, if there are more, of the others."""
    totals = Counter(labels)
    if len(classes) <= MAX_BINS:
        return {"classes": list(classes), "counts": [totals[label] for label in classes]}
    # As for categories, half of the predictions select the classes.
    order = np.random.default_rng(0).permutation(len(labels)).tolist()
    middle = len(labels) // 2
    ranked = Counter(labels[row] for row in order[:middle])
    listed = sorted(label for label, _ in ranked.most_common(MAX_BINS - 1))
    counted = Counter(labels[row] for row in order[middle:])
    counts = [counted[label] for label in listed]
    return {"classes": listed, "counts": [*counts, len(order) - middle - sum(counts)]}
