"""Encoders that know more categories than the data holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from tests.support.served import Serve

COLUMNS: dict[str, tuple[list[Any], Any, Any]] = {  # in the data, known beside it, unknown
    "whole numbers": ([1, 2, 3], 4, 6),
    "whole numbers with a gap": ([1, 2, 3], 10, 4),
    "numbers": ([1.0, 2.0, 3.0], 4.0, 2.5),
    "a number between": ([1.0, 2.0, 4.0], 3.0, 1.5),
    "texts": (["blue", "red"], "green", "grey"),
}


@pytest.mark.parametrize("encoder", [OneHotEncoder, OrdinalEncoder])
@pytest.mark.parametrize(("values", "more", "unknown"), COLUMNS.values(), ids=COLUMNS)
def test_categories_that_the_user_listed_are_served(
    serve: Serve, encoder: Any, values: list[Any], more: Any, unknown: Any
) -> None:
    """Those that the data lacks too; any other is rejected, as by scikit-learn."""
    X, y = _data(values)
    estimator = _pipeline(encoder(categories=[sorted([*values, more])])).fit(X, y)
    served = serve(estimator, X, y)
    rows = X.head(1).assign(size=more)
    assert served.labels(rows) == estimator.predict(rows).astype(str).tolist()
    response = served.app.classify({"size": unknown, "weight": 0.5})
    assert response.status == 422
    with pytest.raises(ValueError, match="unknown categories"):
        estimator.predict(X.head(1).assign(size=unknown))


def test_categories_of_rows_that_are_not_published_are_served(serve: Serve) -> None:
    """Whole numbers in a column of floats, of which part of the training data lacks one."""
    X, y = _data([1.0, 2.0, 3.0])
    estimator = _pipeline(OneHotEncoder()).fit(X, y)
    few = X["size"] < 3.0
    rows = X[~few].head(1)
    served = serve(estimator, X[few], y[few])
    assert served.labels(rows) == estimator.predict(rows).astype(str).tolist()


def _data(values: list[Any]) -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(0)
    X = pd.DataFrame({"size": np.resize(values, 90), "weight": random.normal(size=90)})
    return X, (X["weight"] > 0).to_numpy().astype(int)


def _pipeline(encoder: Any) -> Any:
    transformer = make_column_transformer((encoder, ["size"]), ("passthrough", ["weight"]))
    return make_pipeline(transformer, LogisticRegression())
