"""`X-Out-Of-Range` names the features of a sample that are unlike the training data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.support.app import App
from tests.support.models import publish_to_folder
from training.artifact import build_artifact

HEADER = "X-Out-Of-Range"
NUMBERS = ["age", "height, in cm", "größe"]


@pytest.fixture(scope="module")
def people() -> Any:
    """A model with numbers, and with texts of which one is private."""
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.uniform(10, 20, size=(100, 3)), columns=NUMBERS)
    X["town"] = random.choice(["Ulm", "Bonn"], 100)
    X["secret"] = random.choice(["a", "b"], 100)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["town", "secret"]), remainder="passthrough"
    )
    y = X["age"] > 15
    estimator = make_pipeline(columns, LogisticRegression(max_iter=1_000)).fit(X, y)
    return build_artifact(estimator, X, y, name="people", private=["secret", "größe"])


@pytest.fixture
def people_app(start_app: Callable[..., App], people: Any, tmp_path: Path) -> App:
    """The app, serving that model."""
    return start_app(MODEL_URL=publish_to_folder(people, tmp_path / "people").url)


def sample(**changes: object) -> dict[str, object]:
    """Return a sample within every range."""
    usual = {"age": 15, "height, in cm": 15, "größe": 15, "town": "Ulm", "secret": "a"}
    return usual | changes


def test_the_tutorials_request_is_out_of_range(app: App) -> None:
    """Its alcohol is 0.1; the features it leaves out are not named."""
    response = app.classify(".10")
    assert response.headers[HEADER] == "alcohol"
    assert response.body == {"prediction": "1"}


def test_a_usual_sample_has_no_header(people_app: App) -> None:
    """Nor has one at the ends of a range."""
    assert HEADER not in people_app.classify(sample()).headers
    features = people_app.request("GET", "/model").body["signature"]["features"]
    for end in ("min", "max"):
        assert HEADER not in people_app.classify(sample(age=features[0][end])).headers


def test_numbers_and_texts_are_named_in_the_order_of_the_features(people_app: App) -> None:
    """In percent encoding, as a name may hold a comma."""
    changed = sample(age=1e6, town="Paris", **{"height, in cm": -1})
    assert people_app.classify(changed).headers[HEADER] == "age,height%2C in cm,town"


def test_private_features_are_not_named(people_app: App) -> None:
    """Their ranges and categories could be found by trying."""
    response = people_app.classify(sample(secret="c", größe=1e6))
    assert response.status == 200
    assert HEADER not in response.headers


def test_a_batch_has_no_header(people_app: App) -> None:
    """Its samples are many, and the header one."""
    assert HEADER not in people_app.classify([sample(age=1e6), sample()]).headers


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/invocations", {"dataframe_records": [sample(age=1e6)]}),
        (
            "/v2/models/people/infer",
            {
                "inputs": [
                    {
                        "name": name,
                        "shape": [1, 1],
                        "datatype": "BYTES" if isinstance(value, str) else "FP64",
                        "data": [value],
                    }
                    for name, value in sample(age=1e6).items()
                ]
            },
        ),
    ],
)
def test_every_protocol_has_the_header(people_app: App, path: str, body: Any) -> None:
    """For one sample."""
    response = people_app.request("POST", path, json.dumps(body).encode())
    assert response.status == 200, response.body
    assert response.headers[HEADER] == "age"


def test_at_most_20_features_are_named(start_app: Callable[..., App], tmp_path: Path) -> None:
    """A header is short."""
    X = np.random.default_rng(0).normal(size=(50, 30))
    built = build_artifact(LogisticRegression().fit(X, X[:, 0] > 0), X, X[:, 0] > 0, name="wide")
    app = start_app(MODEL_URL=publish_to_folder(built, tmp_path).url)
    names = app.classify([1e6] * 30).headers[HEADER].split(",")
    assert names == [f"x{index}" for index in range(20)]
