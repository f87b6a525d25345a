"""Tables with any kind of column and label are served with scikit-learn's predictions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chalicelib.models.artifact import read_manifest
from tests.support.customers import customers, prepared
from tests.support.models import WineModel
from tests.support.served import Serve
from training.artifact import build_artifact


@pytest.mark.parametrize("unknown", ["ignore", "error"])
@pytest.mark.parametrize("impute", [False, True])
@pytest.mark.parametrize(
    "final", [LogisticRegression(), RandomForestClassifier(10, random_state=0)], ids=["lr", "rf"]
)
def test_serves_a_table_with_every_kind_of_column(
    serve: Serve, unknown: str, impute: bool, final: Any
) -> None:
    """Predictions are scikit-learn's; unseen and missing values are accepted if it accepts them."""
    X, y = customers()
    if impute:
        X = X.astype({"age": float})
        X.loc[::7, "income"] = np.nan
    estimator = prepared(final, unknown=unknown, impute=impute).fit(X, y)
    served = serve(estimator, X, y)
    assert served.labels(X) == estimator.predict(X).tolist()
    unseen = X.iloc[[0]].assign(colour="violet")
    response = served.app.classify(json.loads(unseen.to_json(orient="records"))[0])
    if unknown == "ignore":
        assert response.body == {"prediction": estimator.predict(unseen)[0]}
    else:
        assert response.status == 422
        [problem] = response.body["problems"]
        assert problem["at"] == "data.colour"
        assert "is not a known category" in problem["problem"]
    without_income = json.loads(X.drop(columns="income").to_json(orient="records"))[0]
    accepts_missing = impute or isinstance(final, RandomForestClassifier)
    assert served.app.classify(without_income).status == (200 if accepts_missing else 422)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"age": 30.5}, "must be a whole number"),
        ({"age": "30"}, "must be a number, not text"),
        ({"age": True}, "must be a number, not a boolean"),
        ({"member": 1}, "must be true or false, not a number"),
        ({"member": None}, "is required"),
        ({"colour": 3}, "must be text, not a number"),
        ({"size": None}, "is required"),
        ({"size": "L"}, "is not a known category"),
        ({"size": "smal"}, "is not a known category"),
    ],
)
def test_reports_a_value_of_the_wrong_type(
    serve: Serve, change: dict[str, object], problem: str
) -> None:
    """In a single sample and in a batch, with the path of the value."""
    X, y = customers()
    served = serve(prepared(LogisticRegression()).fit(X, y), X, y)
    valid = {"age": 30, "income": 45.5, "member": True, "colour": "red", "size": "m"}
    [name] = change
    for data, path in (
        (valid | change, f"data.{name}"),
        ([valid, valid | change], f"data[1].{name}"),
    ):
        response = served.app.classify(data)
        assert response.status == 422
        assert response.body["problems"] == [{"at": path, "problem": problem}]
    assert served.app.classify(list(valid.values())).status == 200
    assert served.app.classify(".10").status == 422


def test_infers_the_signature_from_the_table() -> None:
    """The kind, range, categories and an example of each feature, and whether it is required."""
    X, y = customers()
    built = build_artifact(
        prepared(LogisticRegression(), unknown="error").fit(X, y), X, y, name="table"
    )
    age, income, member, colour, size = read_manifest(built.artifact)["signature"]["features"]
    assert (age["kind"], age["min"], age["max"], age["required"]) == ("integer", 18, 78, True)
    assert income["kind"] == "numeric"
    assert income["median"] == pytest.approx(X["income"].median(), abs=0.5)
    assert member == {"name": "member", "kind": "boolean", "required": True, "example": False}
    assert colour["categories"] == ["blue", "green", "red"]
    assert colour["unknown_categories"] == size["unknown_categories"] == "rejected"
    assert colour["example"] == X["colour"].mode()[0]


@pytest.mark.parametrize(
    "labels",
    [["yes", "no"], [True, False], [-3, 7], [1.0, 2.0], [np.int64(-1), np.int64(1)], ["", "é"]],
    ids=str,
)
def test_labels_are_text_booleans_or_numbers(serve: Serve, labels: list[Any]) -> None:
    """A response has each label as Python prints it."""
    X, bought = customers()
    y = np.where(bought == "yes", labels[0], labels[1])
    estimator = prepared(LogisticRegression()).fit(X, y)
    served = serve(estimator, X, y)
    assert served.built.runtime == "onnx"
    assert served.labels(X) == [str(label) for label in estimator.predict(X).tolist()]
    response = served.app.classify(json.loads(X.to_json(orient="records"))[0], probabilities=True)
    assert response.body["probabilities"].keys() == {str(label) for label in estimator.classes_}


def test_serves_a_hundred_classes(serve: Serve) -> None:
    """With probabilities in the order of the classes."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(100), 5)
    X = random.normal(size=(500, 4)) + y[:, None]
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    served = serve(estimator, X, y)
    response = served.app.classify(X[:50].tolist(), probabilities=True).body
    assert response["predictions"] == [str(label) for label in estimator.predict(X[:50])]
    probabilities = [list(row.values()) for row in response["probabilities"]]
    np.testing.assert_allclose(probabilities, estimator.predict_proba(X[:50]), atol=1e-5)


@pytest.mark.parametrize("load", [load_iris, load_digits, load_breast_cancer])
@pytest.mark.parametrize("as_frame", [False, True])
def test_serves_other_data_sets(serve: Serve, load: Callable[..., Any], as_frame: bool) -> None:
    """As a matrix and as a frame."""
    X, y = load(return_X_y=True, as_frame=as_frame)
    estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X, y)
    served = serve(estimator, X, y)
    assert served.built.runtime == "onnx"
    rows = np.asarray(X).tolist()
    response = served.app.classify(rows, probabilities=True)
    assert response.body["predictions"] == [str(label) for label in estimator.predict(X)]
    probabilities = [list(row.values()) for row in response.body["probabilities"]]
    np.testing.assert_allclose(probabilities, estimator.predict_proba(X), atol=1e-5)


def test_rejects_a_request_for_probabilities_that_the_model_does_not_have(
    serve: Serve, trained: WineModel
) -> None:
    """A request without them is served; one for them is a 422."""
    X, y, _ = trained.dataset
    estimator = make_pipeline(StandardScaler(), RidgeClassifier()).fit(X, y)
    served = serve(estimator, X, y)
    response = served.app.classify(X.tolist())
    assert response.body["predictions"] == [str(label) for label in estimator.predict(X)]
    rejected = served.app.classify(X.tolist(), probabilities=True)
    assert rejected.status == 422
    assert rejected.body["error"] == "probabilities are not available: the model has none."
