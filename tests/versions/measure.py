"""Export classifiers and pipelines with the installed scikit-learn; print one JSON line for each.

`tests.versions` runs it in the environment of each release, so it imports the project alone.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

from training.artifact import build_artifact
from training.export import comparison_samples
from training.export.coverage import fitted_classifiers

ROWS = 200
MAX_ITERATIONS = 100
RANDOM_ROWS = 1_000  # fewer than publishing compares: each release is measured


def frame() -> tuple[pd.DataFrame, Any]:
    """Make a table of numbers, categories and text, with gaps, and labels."""
    random = np.random.default_rng(0)
    age = random.normal(40.0, 10.0, ROWS)
    colour = random.choice(["red", "green", "blue"], ROWS)
    y = np.where(age / 10 + (colour == "red") > 4.2, "yes", "no")
    age[::9] = np.nan
    words = np.array(["dry", "sweet", "oak", "fruit", "young", "old"])
    notes = [" ".join(random.choice(words, 3)) for _ in range(ROWS)]
    return pd.DataFrame({"age": age, "colour": colour, "notes": notes}), y


def pipelines() -> Iterator[tuple[str, ClassifierMixin]]:
    """Yield pipelines on the frame."""
    for encoder in (
        OneHotEncoder(handle_unknown="ignore"),
        OneHotEncoder(min_frequency=70, handle_unknown="infrequent_if_exist"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        TargetEncoder(random_state=0),
    ):
        for classifier in (
            LogisticRegression(max_iter=1_000),
            RandomForestClassifier(20, random_state=0),
            HistGradientBoostingClassifier(max_iter=20, random_state=0),
        ):
            columns = make_column_transformer(
                (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["age"]),
                (encoder, ["colour"]),
                (TfidfVectorizer(), "notes"),
                sparse_threshold=0,
            )
            name = f"{type(encoder).__name__}, {type(classifier).__name__}"
            yield name, make_pipeline(columns, classifier)


def measure(kind: str, name: str, estimator: Any, X: Any, y: Any) -> None:
    """Build an artifact and print how it is served."""
    try:
        built = build_artifact(estimator, X, y, name="model", cv=0)
        result = {"runtime": built.runtime, "reason": built.attempts[0].rejection}
    except Exception as error:
        result = {"runtime": "failed", "reason": f"{type(error).__name__}: {error}"[:300]}
    print(json.dumps({"kind": kind, "name": name, **result}), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    comparison_samples.RANDOM_ROWS = RANDOM_ROWS
    X, y = frame()
    for name, pipeline in pipelines():
        measure("pipeline", name, pipeline.fit(X, y), X, y)
    if "--pipelines" not in sys.argv:
        for fitted in fitted_classifiers(MAX_ITERATIONS):
            measure("classifier", fitted.name, fitted.estimator, fitted.X, fitted.y)
