"""The estimators and tables that `benchmarks.publishing` publishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

TERMS = 130_000
TEXTS = 20_000
WORDS = 60  # of a text

Labels = npt.NDArray[np.int64]


class Case(NamedTuple):
    """A table of so many rows, and an estimator that is fitted on it."""

    title: str
    rows: int
    make_data: Callable[[int], tuple[Any, Labels]]  # of the number of rows
    make_estimator: Callable[[], Any]
    is_served: bool = False  # whether requests are measured too
    published_rows: int | None = None  # of the table, passed to publish; None for all


def _numbers(columns: int) -> Callable[[int], tuple[npt.NDArray[np.float64], Labels]]:
    """Return a function that makes so many columns, of which ten decide between two classes."""

    def make(rows: int) -> tuple[npt.NDArray[np.float64], Labels]:
        random = np.random.default_rng(0)
        X = random.standard_normal((rows, columns))
        score = np.sin(2 * X[:, 0]) + X[:, 1:10].sum(axis=1) / 3 + random.normal(0, 0.5, rows)
        return X, (score > 0).astype(np.int64)

    return make


def _frame(columns: int) -> Callable[[int], tuple[pd.DataFrame, Labels]]:
    def make(rows: int) -> tuple[pd.DataFrame, Labels]:
        X, y = _numbers(columns)(rows)
        return pd.DataFrame(X, columns=[f"column {index}" for index in range(columns)]), y

    return make


def _mixed_table(rows: int) -> tuple[pd.DataFrame, Labels]:
    """Make numbers, texts and booleans, with missing values."""
    random = np.random.default_rng(0)
    towns = np.array([f"town {index}" for index in range(500)], dtype=np.object_)
    X = pd.DataFrame(
        {
            "age": random.integers(18, 90, rows),
            **{f"amount_{index}": random.lognormal(3, 1, rows).round(2) for index in range(6)},
            "plan": random.choice(np.array(["free", "basic", "pro"], dtype=np.object_), rows),
            "town": random.choice(towns, rows),
            "channel": random.choice(np.array(["web", "shop", None], dtype=np.object_), rows),
            "member": random.random(rows) > 0.5,
        }
    )
    X.loc[random.random(rows) < 0.1, "amount_0"] = np.nan
    score = X["age"] / 40 + (X["plan"] == "pro") + X["member"] + np.log(X["amount_1"]) / 3
    return X, (score > score.median()).to_numpy().astype(np.int64)


def _mixed_estimator() -> Any:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    return make_pipeline(
        make_column_transformer(
            (numbers, ["age", *(f"amount_{index}" for index in range(6))]),
            (texts, ["plan", "town", "channel"]),
            ("passthrough", ["member"]),
        ),
        LogisticRegression(max_iter=200),
    )


def _texts(rows: int) -> tuple[list[str], Labels]:
    """Make texts that hold `TERMS` terms, some of them often and each of them once."""
    random = np.random.default_rng(0)
    terms = np.array([f"term{index}" for index in range(TERMS)], dtype=np.object_)
    weights = 1.0 / (10.0 + np.arange(TERMS))
    y = random.integers(0, 2, rows)
    common = random.choice(TERMS, (rows, WORDS), p=weights / weights.sum())
    common[:, 0] = y  # the first two terms tell the classes apart
    rare = np.array_split(random.permutation(TERMS), rows)
    return [" ".join(terms[[*a, *b]]) for a, b in zip(common, rare, strict=True)], y


CASES = {
    "logistic": Case(
        "logistic regression, 1,000,000 x 30", 1_000_000, _numbers(30), LogisticRegression
    ),
    "boosting": Case(
        "histogram boosting, 1,000,000 x 30",
        1_000_000,
        _numbers(30),
        lambda: HistGradientBoostingClassifier(random_state=0),
    ),
    "forest": Case(
        "500 trees, 100,000 x 20",
        100_000,
        _numbers(20),
        lambda: RandomForestClassifier(
            500, max_samples=0.25, min_samples_leaf=5, n_jobs=2, random_state=0
        ),
    ),
    "neighbours": Case(
        "nearest neighbours, 50,000 x 20", 50_000, _numbers(20), KNeighborsClassifier, True
    ),
    "neighbours-tree": Case(
        "the same with a k-d tree, 5,000 rows published",
        50_000,
        _numbers(20),
        lambda: KNeighborsClassifier(algorithm="kd_tree"),
        True,
        5_000,
    ),
    "svc": Case("SVC, 10,000 x 20", 10_000, _numbers(20), SVC),
    "mixed": Case("mixed table, 200,000 x 11", 200_000, _mixed_table, _mixed_estimator),
    "tfidf": Case(
        "Tf-idf of 130,000 terms, 20,000 texts",
        TEXTS,
        _texts,
        lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()),
        True,
    ),
    "columns-1000": Case(
        "frame of 2,000 x 1,000",
        2_000,
        _frame(1_000),
        lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    ),
    "columns-5000": Case(
        "frame of 2,000 x 5,000",
        2_000,
        _frame(5_000),
        lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    ),
}
