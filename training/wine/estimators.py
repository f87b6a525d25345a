"""The estimators of the worked example: ours, and the two that it must beat."""

from __future__ import annotations

from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ALCOHOL = 0  # its column in the wine data


def wine_pipeline() -> ClassifierMixin:
    """Give the estimator that is served: every feature, missing ones imputed.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Not fitted.
    """
    return make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000)
    )


def tutorial_model() -> ClassifierMixin:
    """Give the tutorial's estimator: a logistic regression on alcohol alone.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Not fitted.
    """
    return make_pipeline(
        make_column_transformer(("passthrough", [ALCOHOL])), LogisticRegression(max_iter=1000)
    )


def majority_class() -> ClassifierMixin:
    """Give the estimator that always answers the most frequent class.

    Returns
    -------
    sklearn.dummy.DummyClassifier
        Not fitted.
    """
    return DummyClassifier(strategy="most_frequent")
