"""Predictions: how many samples each class has."""

from __future__ import annotations

from array import array
from collections import Counter

import pytest

from chalicelib.runtimes.base import Prediction


@pytest.mark.parametrize("typecode", ["i", "q"])
@pytest.mark.parametrize("count", [3, 256, 257, 1_000])
def test_classes_are_counted_by_their_index_as_by_their_label(typecode: str, count: int) -> None:
    """However many there are, in the order in which they appear; others are left out."""
    classes = tuple(f"class {index}" for index in range(count))
    indices = array(typecode, [2, count - 1, 2, 0, count - 1, count - 1])
    labels = [classes[index] for index in indices]
    by_label = Prediction(labels, None).count_labels(classes)
    by_index = Prediction(labels, None, class_indices=indices).count_labels(classes)
    assert list(by_index.items()) == list(by_label.items()) == list(Counter(labels).items())
