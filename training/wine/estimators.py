"""The estimators of the worked example: the one that is served, and two baselines."""

from __future__ import annotations

from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ALCOHOL = 0  # column index in the wine data


def wine_pipeline() -> ClassifierMixin:
    """Create the estimator that is served: all features, missing values imputed."""
    return make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000)
    )


def tutorial_model() -> ClassifierMixin:
    """Create the tutorial's estimator: a logistic regression on alcohol only."""
    return make_pipeline(
        make_column_transformer(("passthrough", [ALCOHOL])), LogisticRegression(max_iter=1000)
    )


def majority_class() -> ClassifierMixin:
    """Create an estimator that always predicts the most frequent class."""
    return DummyClassifier(strategy="most_frequent")
