"""Compiled trees give the labels and probabilities of ONNX Runtime, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier
from xgboost import XGBClassifier

from chalicelib.models.model import load_model
from chalicelib.runtimes.onnx_classifier import OnnxClassifier
from training.artifact import build_artifact
from training.scoring.tree_session import TreeSession

FEATURES = 4
ESTIMATORS: dict[str, Callable[[], Any]] = {
    "random forest": lambda: RandomForestClassifier(20, random_state=0),
    "shallow": lambda: RandomForestClassifier(20, max_depth=1, random_state=0),
    "without a split": lambda: RandomForestClassifier(5, min_samples_split=1.0, random_state=0),
    "64 leaves": lambda: ExtraTreesClassifier(5, max_leaf_nodes=64, random_state=0),
    "65 leaves": lambda: ExtraTreesClassifier(5, max_leaf_nodes=65, random_state=0),
    "extra trees": lambda: ExtraTreesClassifier(20, random_state=0),
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "extra tree": lambda: ExtraTreeClassifier(random_state=0),
    "bagging": lambda: BaggingClassifier(max_features=0.5, random_state=0),
    "boosted stumps": lambda: AdaBoostClassifier(random_state=0),
    "gradient boosting": lambda: GradientBoostingClassifier(n_estimators=10, random_state=0),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=2),
    "lightgbm": lambda: LGBMClassifier(n_estimators=10, min_child_samples=2, verbose=-1),
    "xgboost": lambda: XGBClassifier(n_estimators=10),
    "after transformers": lambda: make_pipeline(
        SimpleImputer(add_indicator=True), StandardScaler(), RandomForestClassifier(10)
    ),
}
HAS_MASKS = {"shallow": True, "without a split": True, "64 leaves": True, "65 leaves": False}
WITHOUT_MISSING_VALUES = {"gradient boosting", "boosted stumps"}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_outputs_are_those_of_onnx_runtime(name: str, classes: int) -> None:
    """For rows on a threshold and right beside it, with missing values, and of any number."""
    random = np.random.default_rng(classes)
    # Few distinct values, so that samples and thresholds have many ties.
    X = random.integers(-3, 4, (150, FEATURES)) / 4 * 10.0 ** np.arange(FEATURES)
    if name not in WITHOUT_MISSING_VALUES:
        X[random.random(X.shape) < 0.2] = np.nan
    y = random.integers(0, classes, len(X))
    built = build_artifact(ESTIMATORS[name]().fit(X, y), X, y, name="trees")
    classifier = load_model(built.artifact).classifier
    assert isinstance(classifier, OnnxClassifier)
    compiled = TreeSession(built.artifact)
    masks = compiled.masks
    assert name not in HAS_MASKS or HAS_MASKS[name] == (masks is not None)
    thresholds = compiled.trees.thresholds[np.isfinite(compiled.trees.thresholds)]
    values = np.concatenate([X.ravel(), thresholds, [0.0, -0.0, 3e38, -3e38, 1e-310]])
    for rows in (1, 2, 63, 64, 65, 1000, 3000):
        batch = random.choice(values, (rows, FEATURES))
        batch += random.choice([0.0, 0.0, 1e-16, -1e-7, 0.1], batch.shape)
        if name in WITHOUT_MISSING_VALUES:
            batch = np.nan_to_num(batch)
        flat: Any = batch.ravel()
        expected = [each.tobytes() for each in classifier.session.run(rows, flat)]
        for compiled.masks in (masks, None):  # without them, as trees of more leaves
            assert [each.tobytes() for each in compiled.run(rows, flat)] == expected
