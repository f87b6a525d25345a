"""A table with all kinds of columns, and a pipeline for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

ROWS = 300


def customers() -> tuple[pd.DataFrame, np.ndarray]:
    """Make a table with all kinds of columns, and labels that depend on several of them."""
    random = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "age": random.integers(18, 80, ROWS),
            "income": random.normal(50, 10, ROWS),
            "member": random.random(ROWS) > 0.5,
            "colour": random.choice(["red", "green", "blue"], ROWS),
            "size": random.choice(["s", "m", "l"], ROWS),
        }
    )
    score = X["age"] / 20 + (X["colour"] == "red") * 2 + X["member"] + (X["size"] == "l")
    return X, np.where(score > score.median(), "yes", "no")


def prepared(classifier: Any, *, unknown: str = "ignore", impute: bool = False) -> Any:
    """Return a pipeline that selects columns by name before a classifier."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return make_pipeline(
        make_column_transformer(
            (numbers if impute else StandardScaler(), ["age", "income"]),
            (OneHotEncoder(handle_unknown=unknown), ["colour"]),
            (OrdinalEncoder(categories=[["s", "m", "l"]]), ["size"]),
            ("passthrough", ["member"]),
        ),
        classifier,
    )
