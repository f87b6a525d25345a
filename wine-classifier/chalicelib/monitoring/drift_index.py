"""How far counts of served rows are from counts of the training data, with a known error rate.

The population stability index compares two samples in bins. Divided by 1 / rows + 1 / training
rows it has a chi-squared distribution with one degree of freedom less than bins if both are of
one population (B. Yurdakul, Statistical Properties of the Population Stability Index, 2018). Of
numbers, whose bins have an order, the square of Wilcoxon's rank statistic, which then has a
chi-squared distribution with one degree of freedom, finds a shift of the mean in fewer rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log

from chalicelib.settings import MIN_DRIFT_ROWS

MIN_ROWS = MIN_DRIFT_ROWS


def is_ordered(trained: Mapping[str, object]) -> bool:
    """Return whether the bins of a training distribution have an order."""
    return "edges" in trained or "lengths" in trained


def stability_index(counts: Sequence[float], training: Sequence[float]) -> float:
    """Return the population stability index of two samples.

    Half a row is added to each bin, as in Jeffreys' prior: an empty bin has no logarithm.

    Parameters
    ----------
    counts, training : sequence of float
        Shape (bins,): the rows of each sample in each bin.
    """
    half = len(counts) / 2
    rows, training_rows = sum(counts) + half, sum(training) + half
    index = 0.0
    for count, expected in zip(counts, training, strict=True):
        share, expected_share = (count + 0.5) / rows, (expected + 0.5) / training_rows
        index += (share - expected_share) * log(share / expected_share)
    return index


def rank_statistic(counts: Sequence[float], training: Sequence[float]) -> float:
    """Return the squared difference of two samples' mean ranks, in units of the variance.

    Parameters
    ----------
    counts, training : sequence of float
        Shape (bins,), in the order of the bins.

    Returns
    -------
    float
        Divided by 1 / rows + 1 / training rows it is the square of Wilcoxon's statistic; 0 if all
        rows are in one bin. The variance is the larger one of the two samples, not that of both
        together, which a few rows in rare bins of the smaller sample do not change.
    """
    rows, training_rows = sum(counts), sum(training)
    total = rows + training_rows
    below = 0.0
    sums = [0.0, 0.0]
    squares = [0.0, 0.0]
    for count, expected in zip(counts, training, strict=True):
        both = (count + expected) / total
        rank = below + both / 2 - 0.5
        below += both
        for sample, share in enumerate((count / rows, expected / training_rows)):
            sums[sample] += share * rank
            squares[sample] += share * rank * rank
    variance = max(square - mean * mean for square, mean in zip(squares, sums, strict=True))
    difference = sums[0] - sums[1]
    return difference * difference / variance if variance > 0 else 0.0


def drift_index(
    counts: Sequence[float],
    training: Sequence[float],
    critical: Mapping[str, float],
    *,
    rows: float,
    has_order: bool,
) -> float:
    """Return the larger of the two statistics, divided by its critical value.

    Parameters
    ----------
    counts, training : sequence of float
        Shape (bins,): rows in each bin, which may be weighted. The last bin is of missing values.
    critical : mapping of str to float
        Critical values of the chi-squared distribution by degrees of freedom.
    rows : float
        The rows that the counts are worth: fewer than their sum if some have more weight.
    has_order : bool
        Whether the bins have an order.

    Returns
    -------
    float
        Above 1 with the probability that the critical values are for, if both samples are of one
        population.
    """
    if len(counts) == 1:  # a model with one class
        return 0.0
    weight, training_rows = sum(counts), sum(training)
    scaled = [count * rows / weight for count in counts]
    variance = 1 / rows + 1 / training_rows
    index = stability_index(scaled, training) / variance / critical[str(len(counts) - 1)]
    if has_order and sum(scaled[:-1]) > 0 and sum(training[:-1]) > 0:
        present, trained = sum(scaled[:-1]), sum(training[:-1])
        statistic = rank_statistic(scaled[:-1], training[:-1]) / (1 / present + 1 / trained)
        index = max(index, statistic / critical["1"])
    return index
