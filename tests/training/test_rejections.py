"""An estimator that cannot be served, or a sample it cannot compute with, is rejected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import RadiusNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.support.models import WineModel
from tests.support.served import Serve
from training.errors import NotExportable, NotServable
from training.publish import publish


@pytest.mark.parametrize(
    ("X", "y", "estimator", "message"),
    [
        ([[1.0], [2.0]], [1, 2], LinearRegression(), "LinearRegression is not a classifier"),
        ([[1.0], [2.0]], [1, 2], None, "has not been fitted yet"),
        ([[1.0], [2.0]], [[1, 2], [2, 1]], DecisionTreeClassifier(), "more than one output"),
        ([[1.0], [2.0]], [1.0, np.nan], "fitted", "missing values among the labels"),
        ([[1.0], [2.0]], [1], "fitted", "X has 2 samples, but y has 1 labels"),
        ([[1.0, 2.0], [2.0, 3.0]], [1, 2], "fitted", "X has 2 features; .* fitted on 1"),
        ([[[1.0]], [[2.0]]], [1, 2], "fitted", "X must be samples by features"),
        (np.empty((0, 1)), [], "fitted", "and not empty"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), [1], "fitted", "more than one column .* 'a'"),
        (pd.DataFrame({"a": [1j, 2j]}), [1, 2], "fitted", "'a' holds complex"),
        (pd.DataFrame({"a": ["x", 2]}), [1, 2], "fitted", "'a' holds int and str"),
    ],
)
def test_rejects_what_cannot_be_served_in_one_line(
    tmp_path: Path, X: Any, y: Any, estimator: Any, message: str
) -> None:
    """Nothing is written."""
    if isinstance(estimator, str):
        estimator = DecisionTreeClassifier().fit([[1.0], [2.0]], [1, 2])
    elif estimator is None:
        estimator = LogisticRegression()
    else:
        estimator = estimator.fit(X, y)
    with pytest.raises(NotServable, match=message) as caught:
        publish(estimator, X, y, to=str(tmp_path / "store"))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "store").exists()


class CustomClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A class that neither runtime knows."""

    def fit(self, X: Any, y: Any) -> CustomClassifier:
        """Learn nothing."""
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        """Predict the first class."""
        return np.repeat(self.classes_[:1], len(X))


def test_rejects_a_custom_class(trained: WineModel, tmp_path: Path) -> None:
    """Its code is not on Lambda; nothing is written."""
    X, y, _ = trained.dataset
    with pytest.raises(
        NotExportable,
        match="servers do not have the code of CustomClassifier: use scikit-learn's own, or add a",
    ):
        publish(CustomClassifier().fit(X, y), X, y, to=str(tmp_path / "store"))
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("batch", [False, True])
def test_values_that_overflow_the_model_are_a_422(
    serve: Serve, trained: WineModel, batch: bool
) -> None:
    """A prediction that is not a number is never returned."""
    X, y, _ = trained.dataset
    served = serve(QuadraticDiscriminantAnalysis().fit(X, y), X, y)
    sample = [1e200] * 13
    response = served.app.classify([X[0].tolist(), sample] if batch else sample)
    assert response.status == 422
    problem = "has values too large for the model"
    assert response.body["problems"] == [{"at": "data[1]" if batch else "data", "problem": problem}]


def test_samples_that_the_estimator_rejects_are_a_422(serve: Serve, trained: WineModel) -> None:
    """scikit-learn raises for them; that is not an internal error."""
    X, y, _ = trained.dataset
    estimator = make_pipeline(StandardScaler(), RadiusNeighborsClassifier(100.0)).fit(X, y)
    served = serve(estimator, X, y, runtime="sklearn")
    assert served.app.classify(X[0].tolist()).status == 200
    response = served.app.classify([1e300] * 13)
    assert response.status == 422
    assert response.body["problems"][0]["at"] == "data"
