"""Compare served rows, as the log counts them, with the training data of their model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf, log2, nextafter, sqrt
from typing import Any, NamedTuple

from chalicelib.monitoring.drift_index import (
    MIN_ROWS,
    drift_index,
    is_ordered,
    stability_index,
)

PREDICTIONS = "predictions"


class Compared(NamedTuple):
    """A feature, or the predictions, compared with the training data.

    Parameters
    ----------
    name : str
        The feature's name, or `PREDICTIONS`.
    bins : list of str
        The bins, as a person reads them.
    training : list of int
        Shape (bins,): the training samples in each.
    served : list of int
        Shape (bins,): the weight of the served rows in each.
    rows : int
        The independent rows that `served` is worth.
    psi : float
        The population stability index.
    js_distance : float
        The Jensen-Shannon distance to base 2: 0 if the distributions are equal, 1 if they share
        nothing.
    drift_index : float or None
        Of `chalicelib.monitoring.drift_index`: above 1 there is drift. None of too few rows.
    """

    name: str
    bins: list[str]
    training: list[int]
    served: list[int]
    rows: int
    psi: float
    js_distance: float
    drift_index: float | None

    @property
    def verdict(self) -> str:
        """What the index says."""
        if self.drift_index is None:
            return "too few rows"
        return "drift" if self.drift_index > 1 else "no drift"


def compare(
    manifest: dict[str, Any], counts: Sequence[Sequence[int]], worth: Sequence[int]
) -> list[Compared]:
    """Compare each feature and the predictions with their training distributions.

    Parameters
    ----------
    manifest : dict
        With a ``distribution``.
    counts : sequence of sequence of int
        Of each feature and of the predictions, by bin.
    worth : sequence of int
        The independent rows that each is worth.

    Returns
    -------
    list of Compared
        Features that are not counted are left out.
    """
    distribution = manifest["distribution"]
    names = [feature["name"] for feature in manifest["signature"]["features"]]
    described = [*distribution["features"], distribution["predictions"]]
    compared = []
    for name, trained, served, rows in zip(
        [*names, PREDICTIONS], described, counts, worth, strict=True
    ):
        if trained is None:
            continue
        index = None
        if rows >= MIN_ROWS:
            index = drift_index(
                served,
                trained["counts"],
                distribution["critical"],
                rows=rows,
                has_order=is_ordered(trained),
            )
        scaled = [count * rows / sum(served) for count in served]
        compared.append(
            Compared(
                name,
                name_bins(trained),
                list(trained["counts"]),
                list(served),
                rows,
                stability_index(scaled, trained["counts"]),
                js_distance(served, trained["counts"]),
                index,
            )
        )
    return compared


def js_distance(counts: Sequence[float], training: Sequence[float]) -> float:
    """Return the Jensen-Shannon distance of two samples in bins, to base 2."""
    rows, training_rows = sum(counts), sum(training)
    divergence = 0.0
    for count, expected in zip(counts, training, strict=True):
        shares = count / rows, expected / training_rows
        mean = sum(shares) / 2
        divergence += sum(share * log2(share / mean) / 2 for share in shares if share)
    return sqrt(max(0.0, divergence))


def name_bins(trained: dict[str, Any]) -> list[str]:
    """Return what the bins of a distribution hold."""
    if "classes" in trained:
        has_others = len(trained["counts"]) > len(trained["classes"])
        return [*trained["classes"], *(["other"] if has_others else [])]
    if "categories" in trained:
        return [*trained["categories"], "other", "missing"]
    is_length = "lengths" in trained
    edges = trained["lengths"] if is_length else trained["edges"]
    unit = " characters" if is_length else ""
    if not edges:
        return [f"any{unit}", "missing"]
    inner = [
        f"{low:g}" if high == nextafter(low, inf) else f"{low:g} to {high:g}"
        for low, high in pairwise(edges)
    ]
    return [f"below {edges[0]:g}{unit}", *inner, f"{edges[-1]:g} and more", "missing"]
