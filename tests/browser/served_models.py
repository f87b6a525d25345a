"""Models whose pages differ: few and many features and classes, every kind of column."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.support.models import WineModel
from training.artifact import BuiltModel, build_artifact

ROWS = 240
WIDE_FEATURES = 200
MANY_CLASSES = 40
QUOTED = """it's "fine" """.strip()


def measured_wine(trained: WineModel, *, folds: int) -> BuiltModel:
    """Build the wine model with the metrics of a cross-validation."""
    X, y, names = trained.dataset
    return build_artifact(trained.estimator, X, y, name="wine", feature_names=names, cv=folds)


def mixed_table() -> BuiltModel:
    """Build a model of every kind of column, some of which may be missing."""
    random = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "age": random.integers(18, 80, ROWS),
            "income": random.normal(50, 10, ROWS).round(2),
            "member": random.random(ROWS) > 0.5,
            "colour, or hue": random.choice(["red", "green", QUOTED], ROWS),
            "size": random.choice(["s", "m", "l"], ROWS),
            "note": random.choice(["likes dry wine", "asks for sweet beer", "none"], ROWS),
        }
    )
    y = np.where(X["age"] / 20 + (X["size"] == "l") + X["member"] > 3.2, "yes", "no")
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["income"]),
        (OneHotEncoder(handle_unknown="ignore"), ["colour, or hue"]),
        (OneHotEncoder(), ["size"]),
        (CountVectorizer(), "note"),
        remainder="passthrough",
    )
    estimator = make_pipeline(columns, LogisticRegression(max_iter=2_000)).fit(X, y)
    return build_artifact(estimator, X, y, name="customers", cv=2)


def wide() -> BuiltModel:
    """Build a model of many features."""
    random = np.random.default_rng(0)
    X = random.normal(size=(ROWS, WIDE_FEATURES))
    estimator = LogisticRegression().fit(X, X[:, 0] > 0)
    names = [f"sensor_{index}" for index in range(WIDE_FEATURES)]
    return build_artifact(estimator, X, X[:, 0] > 0, name="wide", feature_names=names)


def many_classes() -> BuiltModel:
    """Build a model of many classes."""
    random = np.random.default_rng(0)
    y = np.arange(ROWS) % MANY_CLASSES
    X = np.column_stack([y + random.normal(size=ROWS), random.normal(size=ROWS)])
    labels = np.array([f"species number {label}" for label in y])
    estimator = GaussianNB().fit(X, labels)
    return build_artifact(estimator, X, labels, name="species", cv=2)
