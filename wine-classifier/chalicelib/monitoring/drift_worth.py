"""How many independent rows counts are worth whose requests may have rows that are alike.

Requests are counted in groups. Where groups differ by more than independent rows do, the variance
of a share, and of the mean rank of an ordered feature, is estimated from how far they differ. The
correction is that of J. Rao and A. Scott for clustered samples, of the first order (1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

_SURPRISE = 3.0  # standard deviations that are taken for chance: 1 in 700 estimates is beyond them

# A variance that few groups tell may be far too small. At the rate of false alarms of a drift index
# the square of a quantile of Student's distribution is about this many times that of the normal
# one, for so many degrees of freedom: (1 + 11 / freedom) ** 2.
_STUDENT = 11.0


def squared_weight_of_groups(
    groups: Sequence[Sequence[int]], squared_weight: int, *, is_ordered: bool
) -> float:
    """Return the sum of squared weights that independent rows with the same variance have.

    Parameters
    ----------
    groups : sequence of sequence of int
        Shape (groups, bins): the weight of the counted rows.
    squared_weight : int
        The sum of the squared weights of the counted rows, which is returned unless groups differ
        by more than chance.
    is_ordered : bool
        Whether the bins have an order; the last one, of missing values, has none.
    """
    total = [sum(column) for column in zip(*groups, strict=True)]
    present = [index for index, count in enumerate(total) if count]
    most = float(squared_weight)
    if len(groups) > 1 and len(present) > 1:
        estimates = [(_by_shares(groups, total, present), len(present) - 1)]
        if is_ordered:
            estimates.append((_by_ranks(groups, total[:-1]), 1))
        for estimate, width in estimates:
            freedom = len(groups) - 1
            # The quantile of a chi-squared distribution, by Wilson and Hilferty's approximation.
            spread = 2 / (9 * freedom * width)
            if estimate > squared_weight * (1 - spread + _SURPRISE * sqrt(spread)) ** 3:
                most = max(most, estimate * (1 + _STUDENT / freedom) ** 2)
    return most


def _by_shares(
    groups: Sequence[Sequence[int]], total: Sequence[int], present: Sequence[int]
) -> float:
    weight = sum(total)
    squares = 0.0
    for group in groups:
        share = sum(group) / weight
        squares += sum((group[i] - share * total[i]) ** 2 / total[i] for i in present)
    return squares * weight * len(groups) / ((len(groups) - 1) * (len(present) - 1))


def _by_ranks(groups: Sequence[Sequence[int]], total: Sequence[int]) -> float:
    weight = sum(total)
    if not weight:
        return 0.0
    ranks, below = [], 0.0
    for count in total:
        ranks.append((below + count / 2) / weight - 0.5)
        below += count
    variance = sum(count * rank * rank for count, rank in zip(total, ranks, strict=True)) / weight
    if not variance:
        return 0.0
    # The mean of the ranks is 0.
    sums = [
        sum(count * rank for count, rank in zip(group, ranks, strict=False)) for group in groups
    ]
    return sum(each * each for each in sums) / variance * len(groups) / (len(groups) - 1)
