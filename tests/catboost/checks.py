"""CatBoost's classifiers, compared as those of `tests/training/test_boosting.py` are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from catboost import CatBoostClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from tests.support.boosting import assert_exact, frame, matrix, prepare
from training.data.signature import infer_signature
from training.data.table import Table
from training.errors import NotExportable
from training.export.search import export


def catboost(**parameters: Any) -> CatBoostClassifier:
    """Make a small classifier."""
    defaults = {"iterations": 10, "thread_count": 1, "verbose": 0, "allow_writing_files": False}
    return CatBoostClassifier(**{**defaults, **parameters})


PARAMETERS = {
    "default": {},
    "missing is largest": {"nan_mode": "Max"},
    "one-vs-all": {"loss_function": "MultiClassOneVsAll"},
    "deep": {"depth": 8, "rsm": 0.5, "auto_class_weights": "Balanced"},
    "leaf by leaf": {"grow_policy": "Lossguide", "nan_mode": "Max"},
    "level by level": {"grow_policy": "Depthwise", "depth": 3},
}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("parameters", PARAMETERS.values(), ids=PARAMETERS)
def test_catboost_is_exact_at_its_borders(parameters: dict[str, Any], classes: int) -> None:
    """In float32, with missing values."""
    X, y = matrix(classes)
    if classes == 2 and "loss_function" in parameters:
        parameters = {"loss_function": "CrossEntropy"}
    estimator = catboost(**parameters).fit(X, y)
    assert_exact(estimator, X, estimator.get_borders())


def test_catboost_is_exact_with_text_labels_and_ties() -> None:
    """Where all classes are as probable as each other."""
    X = np.array([[0.0], [1.0]] * 20)
    for y in (["b", "a", "a", "b"] * 10, ["a", "b", "c", "c"] * 10):
        assert_exact(catboost().fit(X, y), X)


COMBINATIONS = {
    "pipeline": lambda member: make_pipeline(prepare(), member),
    "search": lambda member: GridSearchCV(
        make_pipeline(prepare(), member), {"catboostclassifier__depth": [2]}, cv=2
    ),
    "calibrated": lambda member: CalibratedClassifierCV(make_pipeline(prepare(), member), cv=2),
    "voting": lambda member: VotingClassifier(
        [
            ("boosted", make_pipeline(prepare(), member)),
            ("linear", make_pipeline(prepare(), LogisticRegression(max_iter=500))),
        ],
        voting="soft",
    ),
    "stacked": lambda member: StackingClassifier(
        [("a", make_pipeline(prepare(), member))], final_estimator=member, cv=2
    ),
    "one-vs-rest": lambda member: OneVsRestClassifier(make_pipeline(prepare(), member)),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("combine", COMBINATIONS.values(), ids=COMBINATIONS)
def test_catboost_is_exact_within_other_estimators(combine: Any) -> None:
    """On a table with text and gaps."""
    X, y = frame()
    assert_exact(combine(catboost(iterations=4)).fit(X, y), X)


@pytest.mark.filterwarnings("ignore")
def test_categories_of_catboost_are_rejected_with_the_reason() -> None:
    """It stores hashes of them, and statistics."""
    X, y = frame()
    X = X[["note", "age"]]
    estimator = catboost(cat_features=["note"]).fit(X, np.where(X["note"] == "acid", 1, y % 2))
    table = Table(X)
    with pytest.raises(NotExportable, match="features other than numbers is not supported"):
        export(estimator, table, infer_signature(estimator, table), runtime="onnx")
