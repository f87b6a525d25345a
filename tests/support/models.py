"""Models that several tests share."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sklearn.base import ClassifierMixin

from training.artifact import BuiltModel
from training.registry import ModelRegistry
from training.wine.dataset import Dataset


class WineModel(NamedTuple):
    """The wine model: its data, the fitted estimator and the built artifact."""

    estimator: ClassifierMixin
    dataset: Dataset
    built: BuiltModel


def publish_to_folder(built: BuiltModel, folder: Path) -> ModelRegistry:
    """Return a registry in a folder, in which the model is live."""
    registry = ModelRegistry(str(folder))
    registry.publish(built.artifact)
    return registry
