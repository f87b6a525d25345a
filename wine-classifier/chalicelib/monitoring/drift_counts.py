"""Count samples in the bins of the training distribution; no value is kept."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import Any

from chalicelib.inputs.samples import Samples
from chalicelib.models.manifest import Manifest
from chalicelib.monitoring.drift_index import is_ordered
from chalicelib.monitoring.drift_worth import squared_weight_of_groups
from chalicelib.named_tuple import NamedTuple

# Of a batch about a sixth of the cells is counted, and of one sample 30 at least: counting then
# takes about 5 % of the request.
_MIN_CELLS = 30
_CELLS_SHARE = 6
MAX_ROWS = 500  # of one request
_ROWS_IN_BULK = 64  # from so many on, columns are faster than rows

# Requests are counted in groups: rows of one request may be alike, and the groups then differ by
# more than independent rows do.
_GROUPS = 32


class Totals(NamedTuple):
    """Counts since the last `DriftCounts.clear`.

    Parameters
    ----------
    counts : list of list of int
        The weight of the counted rows by bin: of each feature, and of the predictions at last.
    worth : list of int
        The independent rows that the counts of each feature, and of the predictions, are worth.
    """

    counts: list[list[int]]
    worth: list[int]


class DriftCounts:
    """Counts of the samples and predictions of one model.

    Parameters
    ----------
    manifest : Manifest
        With a ``distribution``, as of `training.distribution.describe_distribution`.

    Attributes
    ----------
    requests, rows : int
        All that were seen.
    counted : int
        The rows that were counted.
    """

    def __init__(self, manifest: Manifest) -> None:
        signature, distribution = manifest.signature, manifest.document["distribution"]
        features = distribution["features"]
        self._edges = [_read_edges(features[index], "edges") for index in signature.number_indices]
        self._find_text = [_text_finder(features[index]) for index in signature.text_indices]
        self._indices = signature.number_indices, signature.text_indices
        classes = distribution["predictions"]["classes"]
        self._classes = {label: index for index, label in enumerate(classes)}
        described = [*features, distribution["predictions"]]
        self._sizes = [len(each["counts"]) if each else 0 for each in described]
        self._is_ordered = [bool(each and is_ordered(each)) for each in described]
        self._is_narrow = _find_stride(len(features)) == 1
        self.clear()

    def clear(self) -> None:
        """Forget all counts."""
        self.requests = self.rows = self.counted = 0
        self._weight = self._squared_weight = 0
        self._groups: list[_Table | None] = [None] * _GROUPS

    def add(self, samples: Samples, labels: Sequence[str]) -> None:
        """Count a request: each of its rows with the same probability and its inverse as weight."""
        table = self._groups[self.requests % _GROUPS] or self._open_group()
        self.requests += 1
        rows = samples.rows
        self.rows += rows
        if rows == 1 and self._is_narrow:
            self.counted += 1
            self._weight += 1
            self._squared_weight += 1
            self._count_row(table, samples.numbers, samples.texts, labels[0], 1)
            return
        cells = len(samples.numbers) + len(samples.texts)
        stride = _find_stride(cells)
        if rows > stride * MAX_ROWS:
            stride = -(-rows // MAX_ROWS)
        start = int.from_bytes(os.urandom(4)) % stride if stride > 1 else 0
        counted = (rows - start + stride - 1) // stride
        self.counted += counted
        self._weight += counted * stride
        self._squared_weight += counted * stride * stride
        if rows == 1 and counted:
            self._count_row(table, samples.numbers, samples.texts, labels[0], stride)
        elif counted < _ROWS_IN_BULK:
            numbers, texts = len(self._edges), len(self._find_text)
            for row in range(start, rows, stride):
                self._count_row(
                    table,
                    samples.numbers[row * numbers : (row + 1) * numbers],
                    samples.texts[row * texts : (row + 1) * texts],
                    labels[row],
                    stride,
                )
        else:
            self._count_columns(table, samples, start, stride)
            for label, count in Counter(labels[start::stride]).items():
                table.classes[self._classes.get(label, -1)] += count * stride

    def totals(self) -> Totals:
        """Return the counts, and what they are worth."""
        tables = [table.counts for table in self._groups if table]
        counts, worth = [], []
        for groups, has_order in zip(zip(*tables, strict=True), self._is_ordered, strict=True):
            counts.append([sum(column) for column in zip(*groups, strict=True)])
            squared_weight = squared_weight_of_groups(
                groups, self._squared_weight, is_ordered=has_order
            )
            worth.append(round(self._weight * self._weight / squared_weight))
        return Totals(counts, worth)

    def _open_group(self) -> _Table:
        numbers, texts = self._indices
        counts = [[0] * size for size in self._sizes]
        table = _Table(
            counts,
            [counts[index] or [0, 0] for index in numbers],
            [counts[index] or [0, 0] for index in texts],
            counts[-1],
        )
        self._groups[self.requests % _GROUPS] = table
        return table

    def _count_row(
        self,
        table: _Table,
        numbers: array[float],
        texts: Sequence[str | None],
        label: str,
        weight: int,
    ) -> None:
        for value, edges, counts in zip(numbers, self._edges, table.numbers):  # noqa: B905
            counts[bisect_right(edges, value)] += weight
        if texts:
            for text, find, counts in zip(texts, self._find_text, table.texts, strict=True):
                counts[find(text)] += weight
        table.classes[self._classes.get(label, -1)] += weight

    def _count_columns(self, table: _Table, samples: Samples, start: int, stride: int) -> None:
        width = len(self._edges)
        step = stride * width
        for column, (edges, counts) in enumerate(zip(self._edges, table.numbers, strict=True)):
            values = list(samples.numbers[start * width + column :: step])
            total = sum(values)
            present = values if total == total else [value for value in values if value == value]
            present.sort()
            below = [0, *(bisect_left(present, edge) for edge in edges), len(values)]
            for index, (first, last) in enumerate(pairwise(below)):
                counts[index] += (last - first) * stride
        width = len(self._find_text)
        step = stride * width
        for column, (find, counts) in enumerate(zip(self._find_text, table.texts, strict=True)):
            for text, count in Counter(samples.texts[start * width + column :: step]).items():
                counts[find(text)] += count * stride


class _Table(NamedTuple):
    """Counts of a group of requests, and views of them: by column of the samples."""

    counts: list[list[int]]
    numbers: list[list[int]]
    texts: list[list[int]]
    classes: list[int]


def _find_stride(cells: int) -> int:
    """Return of how many rows one is counted, in a request with so many cells."""
    return -(-cells // (_MIN_CELLS + cells // _CELLS_SHARE))


def _read_edges(feature: Mapping[str, Any] | None, name: str) -> list[float]:
    """Return the upper edges of the bins; NaN, a missing value, is beyond the last one."""
    return [*map(float, feature[name] if feature else ()), inf]


def _text_finder(feature: Mapping[str, Any] | None) -> Callable[[str | None], int]:
    """Return a function that returns the bin of a text: the last one is of missing values."""
    if feature and "categories" in feature:
        categories = feature["categories"]
        bins: dict[str | None, int] = {text: index for index, text in enumerate(categories)}
        bins[None] = len(categories) + 1
        other = len(categories)
        return lambda text: bins.get(text, other)
    edges = _read_edges(feature, "lengths")
    return lambda text: len(edges) if text is None else bisect_right(edges, len(text))
