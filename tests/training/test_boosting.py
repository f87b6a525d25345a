"""Boosting libraries, trees that split by category, and imbalanced-learn."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imbalanced_pipeline
from imblearn.under_sampling import RandomUnderSampler
from lightgbm import LGBMClassifier, early_stopping
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from xgboost import XGBClassifier, XGBRFClassifier

from tests.support.boosting import ROWS, assert_exact, frame, matrix, prepare
from training.data.signature import infer_signature
from training.data.table import Table
from training.errors import NotExportable
from training.export.converters.sparsity import returns_sparse
from training.export.search import export


def lightgbm(**parameters: Any) -> LGBMClassifier:
    """Make a small classifier."""
    defaults = {"n_estimators": 6, "min_child_samples": 5, "n_jobs": 1, "verbose": -1}
    return LGBMClassifier(**{**defaults, **parameters})


def xgboost(**parameters: Any) -> XGBClassifier:
    """Make a small classifier."""
    return XGBClassifier(**{"n_estimators": 6, "max_depth": 4, "n_jobs": 1, **parameters})


def histogram(**parameters: Any) -> HistGradientBoostingClassifier:
    """Make a small classifier."""
    return HistGradientBoostingClassifier(
        **{"max_iter": 6, "min_samples_leaf": 5, "random_state": 0, **parameters}
    )


def with_categories(*integers: str) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Make the table with pandas' categories and without free text."""
    X, y = frame()
    X = X.astype(dict.fromkeys(integers, int)).astype({"city": "category", "code": "category"})
    return X.drop(columns="note"), y


LIGHTGBM = {
    "default": {},
    "one-vs-all": {"objective": "multiclassova", "sigmoid": 1.7},
    "random forest": {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1},
    "dropout": {"boosting_type": "dart"},
    "one-side sampling": {"data_sample_strategy": "goss"},
    "zeros missing": {"zero_as_missing": True},
    "nothing missing": {"use_missing": False},
    "no split": {"min_child_samples": ROWS},
}
XGBOOST = {
    "default": {},
    "no split": {"gamma": 1e6},
    "dropout": {"rate_drop": 0.5},
    "several trees": {"num_parallel_tree": 3, "subsample": 0.5},
    "zeros missing": {"missing": 0.0},
    "base score": {"base_score": 0.3},
    "exact splits": {"tree_method": "exact"},
    "categories": {"feature_types": ["q", "q", "c", "q"], "max_cat_to_onehot": 1},
    "one category": {"feature_types": ["q", "q", "c", "q"]},
}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("parameters", LIGHTGBM.values(), ids=LIGHTGBM)
def test_lightgbm_is_exact_at_its_thresholds(parameters: dict[str, Any], classes: int) -> None:
    """With missing values and zeros."""
    X, y = matrix(classes)
    if classes == 2 and parameters.get("objective"):
        parameters = {"objective": "binary", "sigmoid": 1.7}
    assert_exact(lightgbm(**parameters).fit(X, y), X)


def test_lightgbm_is_exact_with_categories_by_index() -> None:
    """Negative and fractional numbers and those beyond the known categories among them."""
    X, y = matrix()
    assert_exact(lightgbm(min_data_per_group=1, cat_smooth=0).fit(X, y, categorical_feature=[2]), X)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("parameters", XGBOOST.values(), ids=XGBOOST)
def test_xgboost_is_exact_at_its_thresholds(parameters: dict[str, Any], classes: int) -> None:
    """In float32, with missing values."""
    X, y = matrix(classes)
    assert_exact(xgboost(**parameters).fit(X, y), X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("classes", [2, 3])
def test_other_boosters_of_xgboost_are_exact(classes: int) -> None:
    """The linear booster, which rejects numbers beyond float32, and the random forest."""
    X, y = matrix(classes)
    assert_exact(xgboost(booster="gblinear").fit(X, y), X)
    assert_exact(XGBRFClassifier(n_estimators=5, n_jobs=1).fit(X, y), X)


def test_trees_after_the_best_iteration_are_left_out() -> None:
    """As both libraries do after early stopping."""
    X, y = matrix()
    stopped = lightgbm(n_estimators=40, learning_rate=0.9)
    stop = early_stopping(3, verbose=False)
    stopped.fit(X[:200], y[:200], eval_X=X[200:], eval_y=y[200:], callbacks=[stop])
    assert stopped.best_iteration_ < 40
    assert_exact(stopped, X)
    stopped = xgboost(n_estimators=40, learning_rate=0.9, early_stopping_rounds=3)
    stopped.fit(X[:200], y[:200], eval_set=[(X[200:], y[200:])], verbose=False)
    assert stopped.best_iteration < 36
    assert_exact(stopped, X)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("categorical", [[2], [False, False, True, False]], ids=["index", "mask"])
def test_histogram_boosting_is_exact_with_categories_of_a_matrix(
    categorical: list[Any], classes: int
) -> None:
    """Whose unknown categories are as if missing."""
    X, y = matrix(classes)
    assert_exact(histogram(categorical_features=categorical).fit(X, y), X)


@pytest.mark.parametrize("categorical", ["from_dtype", ["city", "code"], [1, 2]])
def test_histogram_boosting_is_exact_with_categories_of_a_frame(categorical: Any) -> None:
    """Of text with gaps and of numbers, by type, name and index."""
    X, y = with_categories()
    if categorical != "from_dtype":
        X = X.astype({"city": object, "code": float})
    assert_exact(histogram(categorical_features=categorical).fit(X, y), X)


@pytest.mark.parametrize("classes", [2, 3])
def test_boosting_libraries_are_exact_with_categories_of_pandas(classes: int) -> None:
    """Of text with gaps and of numbers, in pandas' order."""
    X, y = with_categories("code")
    order = ["Zürich", "Rome", "nan", "Oslo"]
    X["city"] = X["city"].cat.reorder_categories(order)
    assert_exact(lightgbm(min_data_per_group=1, cat_smooth=0).fit(X, y % classes), X)
    assert_exact(xgboost(enable_categorical=True, max_cat_to_onehot=1).fit(X, y % classes), X)


COMBINATIONS = {
    "pipeline": lambda member: make_pipeline(prepare(), member),
    "search": lambda member: GridSearchCV(
        make_pipeline(prepare(), member), {f"{type(member).__name__.lower()}__max_depth": [2]}, cv=2
    ),
    "calibrated": lambda member: CalibratedClassifierCV(make_pipeline(prepare(), member), cv=2),
    "voting": lambda member: VotingClassifier(
        [
            ("boosted", make_pipeline(prepare(), member)),
            ("linear", make_pipeline(prepare(), LogisticRegression(max_iter=500))),
        ],
        voting="soft",
    ),
    "stacked": lambda member: make_pipeline(
        prepare(sparse_threshold=0),
        StackingClassifier([("a", member)], final_estimator=member, cv=2, passthrough=True),
    ),
    "one-vs-rest": lambda member: OneVsRestClassifier(make_pipeline(prepare(), member)),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("combine", COMBINATIONS.values(), ids=COMBINATIONS)
@pytest.mark.parametrize("make", [lightgbm, xgboost])
def test_boosting_libraries_are_exact_within_other_estimators(make: Any, combine: Any) -> None:
    """On a table with text and gaps."""
    X, y = frame()
    assert_exact(combine(make(n_estimators=3)).fit(X, y), X)


SPARSE = {
    "pipeline": lambda: [xgboost()],
    "scaled": lambda: [MaxAbsScaler(), SelectKBest(k=6), xgboost()],
    "linear": lambda: [xgboost(booster="gblinear")],
    "bagged": lambda: [BaggingClassifier(xgboost(), n_estimators=2, max_features=0.7)],
    "stacked": lambda: [
        StackingClassifier([("a", xgboost())], final_estimator=xgboost(), cv=2, passthrough=True)
    ],
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", SPARSE.values(), ids=SPARSE)
def test_zeros_of_a_sparse_matrix_are_missing_to_xgboost(make: Any) -> None:
    """But not those of a dense one."""
    X, y = frame()
    assert_exact(make_pipeline(prepare(sparse_threshold=1), *make()).fit(X, y), X)


IMBALANCED = {
    "sampled rows": lambda: make_imbalanced_pipeline(
        RandomOverSampler(random_state=0), prepare(), lightgbm()
    ),
    "sampled features": lambda: make_imbalanced_pipeline(
        prepare(), RandomUnderSampler(random_state=0), LogisticRegression(max_iter=500)
    ),
}


@pytest.mark.parametrize("make", IMBALANCED.values(), ids=IMBALANCED)
def test_samplers_of_imbalanced_learn_do_nothing_at_prediction(make: Any) -> None:
    """Wherever they stand in a pipeline."""
    X, y = frame()
    assert_exact(make().fit(X, y), X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "estimator",
    [
        BalancedBaggingClassifier(n_estimators=3, random_state=0),
        BalancedRandomForestClassifier(5, random_state=0),
        EasyEnsembleClassifier(n_estimators=2, random_state=0),
        RUSBoostClassifier(n_estimators=4, random_state=0),
    ],
    ids=lambda each: type(each).__name__,
)
def test_ensembles_of_imbalanced_learn_are_exact(estimator: ClassifierMixin) -> None:
    """They are scikit-learn's, fitted on other samples."""
    X, y = matrix()
    X = np.nan_to_num(X)
    assert_exact(estimator.fit(X, y), X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "estimator",
    [
        lightgbm(linear_tree=True),
        lightgbm(pred_early_stop=True),
        xgboost(objective="binary:logitraw"),
    ],
    ids=["linear trees", "early stop", "objective"],
)
def test_what_is_not_exact_is_rejected_with_the_reason(estimator: ClassifierMixin) -> None:
    """Rather than left to the comparison."""
    X, y = matrix(2)
    estimator.fit(X, y)
    table = Table(X)
    with pytest.raises(NotExportable, match="not supported"):
        export(estimator, table, infer_signature(estimator, table), runtime="onnx")


@pytest.mark.parametrize(
    ("transformer", "expected"),
    [
        (prepare(), False),
        (prepare(sparse_threshold=1), True),
        (make_pipeline(prepare(sparse_threshold=1), MaxAbsScaler()), True),
        (make_pipeline(prepare(sparse_threshold=1), TruncatedSVD()), None),
        (make_column_transformer((HashingVectorizer(), "note")), None),
        (make_column_transformer((HashingVectorizer(alternate_sign=False), "note")), True),
    ],
)
def test_whether_a_transformer_returns_a_sparse_matrix_is_known_or_none(
    transformer: Any, expected: bool | None
) -> None:
    """The difference matters to XGBoost alone."""
    X, y = frame()
    assert returns_sparse(transformer.fit(X, y), False) is expected


def test_training_imports_no_boosting_library() -> None:
    """They need not be installed, and take long to import."""
    code = (
        "import sys, training.__main__, training.export.search\n"
        "print({'catboost', 'imblearn', 'lightgbm', 'xgboost'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout == "set()\n"
