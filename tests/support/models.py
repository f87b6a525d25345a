"""Models that several tests share."""

from __future__ import annotations

from typing import NamedTuple

from sklearn.base import ClassifierMixin

from training.artifact import BuiltModel
from training.wine.dataset import Dataset


class Trained(NamedTuple):
    """The wine model: the estimator, and what is published of it."""

    estimator: ClassifierMixin
    dataset: Dataset
    built: BuiltModel
