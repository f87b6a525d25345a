"""What the API tells about the training data: nothing that only a few samples share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

from chalicelib.models.model import load_model
from serve_local import PLACEHOLDER, example_request
from tests.support.app import App
from tests.support.models import publish_to_folder
from training.artifact import BuiltModel, build_artifact
from training.disclosure import MIN_SAMPLES

ROWS = 60
RANDOM = np.random.default_rng(0)
NAMES = [
    f"{first} {last}" for first in ("Ada", "Bo", "Cy", "Di") for last in map(chr, range(65, 80))
]
PEOPLE = pd.DataFrame(
    {
        "name": NAMES,
        "email": [f"{name.replace(' ', '.').lower()}@example.org" for name in NAMES],
        "letter": [f"dear sir, my number is {7919 * i} and I am {n}" for i, n in enumerate(NAMES)],
        "town": ["Ulm"] * 27 + ["Bonn"] * 28 + ["Kleinkleckersdorf"] * 3 + ["Hintertupfing"] * 2,
        "salary": RANDOM.lognormal(10, 1, ROWS).round(2),
        "age": RANDOM.integers(18, 90, ROWS),
        "member": RANDOM.random(ROWS) > 0.5,
    }
)
LABELS = np.where(PEOPLE["age"] > 50, "yes", "no")


class Case(NamedTuple):
    """A model, and the data that it was fitted on."""

    built: BuiltModel
    X: pd.DataFrame


def encoded(*columns: str, **options: Any) -> Any:
    """Return a pipeline that encodes columns, which may be of unknown categories or not."""
    transformers = make_column_transformer(
        (OneHotEncoder(**options), list(columns)), remainder="passthrough"
    )
    return make_pipeline(transformers, DecisionTreeClassifier(max_depth=3))


def published(estimator: Any, *columns: str, **options: Any) -> Case:
    """Fit an estimator on some columns and build its artifact."""
    X = PEOPLE[list(columns)]
    built = build_artifact(estimator.fit(X, LABELS), X, LABELS, name="people", **options)
    return Case(built, X)


def letters() -> Case:
    """Return a classifier of texts."""
    texts = PEOPLE["letter"].tolist()
    estimator = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, LABELS)
    built = build_artifact(estimator, texts, LABELS, name="people")
    return Case(built, PEOPLE[["letter"]])


def tutorial() -> Case:
    """Return a classifier whose parameters hold data."""
    X = PEOPLE[["name", "age"]]
    encoder = OrdinalEncoder(categories=[sorted(NAMES)])
    transformers = make_column_transformer((encoder, ["name"]), remainder="passthrough")
    return published(make_pipeline(transformers, DecisionTreeClassifier(max_depth=3)), *X.columns)


CASES: dict[str, Callable[[], Case]] = {
    "numbers": lambda: published(DecisionTreeClassifier(max_depth=3), "salary", "age"),
    "open names": lambda: published(
        encoded("name", "email", handle_unknown="ignore"), "name", "email", "salary"
    ),
    "closed names": lambda: published(
        encoded("name", "email", handle_unknown="error"), "name", "email", "salary"
    ),
    "rare towns": lambda: published(encoded("town", handle_unknown="error"), "town", "age"),
    "names as a parameter": tutorial,
    "free text": lambda: published(
        make_pipeline(
            make_column_transformer((TfidfVectorizer(), "letter"), remainder="passthrough"),
            DecisionTreeClassifier(max_depth=3),
        ),
        "letter",
        "salary",
    ),
    "texts": letters,
    "whole numbers as categories": lambda: published(CategoricalNB(), "age", "member"),
    "a mixed table": lambda: published(
        encoded("town", "name", handle_unknown="ignore"), *PEOPLE.drop(columns=["letter", "email"])
    ),
}


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """Each of the models."""
    return CASES[request.param]()


@pytest.fixture
def case_app(case: Case, start_app: Callable[..., App], tmp_path: Path) -> App:
    """The app, serving the model."""
    return start_app(MODEL_URL=publish_to_folder(case.built, tmp_path / "case").url)


def rare_values(X: pd.DataFrame) -> Iterator[str]:
    """Yield each text and fraction that fewer than `MIN_SAMPLES` samples share."""
    for name in X.columns:
        counts = X[name].value_counts()
        if X[name].dtype == np.float64 or isinstance(counts.index[0], str):
            yield from map(str, counts[counts < MIN_SAMPLES].index)


def rows_as_sent(X: pd.DataFrame) -> Iterator[str]:
    """Yield each sample of several features as it is in JSON, by position and by name."""
    for record in X.to_dict(orient="records"):
        if len(record) > 1:
            yield json.dumps(list(record.values()), separators=(",", ":"))[1:-1]
            yield json.dumps(record, separators=(",", ":"))[1:-1]


def everything_served(app: App, case: Case) -> str:
    """Return the responses to all GET requests, and to bad requests that ask for a hint."""
    responses = []
    version = case.built.version
    for path, methods in app.module.app.routes.items():
        if "GET" in methods and "part1" not in path:
            path = path.replace("{model_name}", "people").replace("{model_version}", version)
            responses.append(app.send("GET", path).body)
    records = case.X.head(10).to_dict(orient="records")
    bad = [
        *({name: f"{value}x" for name, value in record.items()} for record in records),
        *({f"{name}x": value for name, value in record.items()} for record in records[:1]),
        [1] * 99,
        "x",
        {},
    ]
    for data in bad:
        tensors = [{"name": "x", "shape": [1], "datatype": "BYTES", "data": [str(data)]}]
        for path, body in (
            ("/classify", {"data": data}),
            ("/invocations", {"inputs": data}),
            ("/v2/models/people/infer", {"inputs": tensors}),
        ):
            responses.append(app.send("POST", path, json.dumps(body).encode()).body)
    assert all(responses)
    # The requests themselves repeat names of features, never values.
    return b"\n".join(responses).decode()


def test_nothing_that_few_samples_share_is_served(case: Case, case_app: App) -> None:
    """No training sample, no rare text, no exact extreme, by any route or error."""
    served = everything_served(case_app, case)
    found = [value for value in (*rare_values(case.X), *rows_as_sent(case.X)) if value in served]
    assert not found
    assert not any(
        value in example_request(load_model(case.built.artifact).manifest) for value in found
    )


def test_every_example_is_accepted(case: Case, case_app: App) -> None:
    """The one that `make serve` prints, and each in the OpenAPI document."""
    example = example_request(load_model(case.built.artifact).manifest)
    document = case_app.request("GET", "/openapi.json").body
    examples = document["paths"]["/classify"]["post"]["requestBody"]["content"]["application/json"][
        "examples"
    ]
    assert bool(examples) == (PLACEHOLDER not in example)
    for body in [value["value"] for value in examples.values()] or [None]:
        if body is not None:
            assert case_app.request("POST", "/classify", json.dumps(body).encode()).status == 200
            assert case_app.request("POST", "/classify", example.encode()).status == 200


def test_rare_categories_are_accepted_but_not_told(
    start_app: Callable[..., App], tmp_path: Path
) -> None:
    """The description says that there are others, and a hint names only what is listed."""
    case = CASES["rare towns"]()
    app = start_app(MODEL_URL=publish_to_folder(case.built, tmp_path).url)
    [town, _] = app.request("GET", "/model").body["signature"]["features"]
    assert (town["categories"], town["other_categories"]) == (["Bonn", "Ulm"], True)
    for name in PEOPLE["town"].unique():
        assert app.classify({"town": name, "age": 30}).status == 200
    unknown = app.classify({"town": "Hintertupfinge", "age": 30})
    assert unknown.body["problems"] == [{"at": "data.town", "problem": "is not a known category"}]
    assert "did you mean 'Ulm'" in app.classify({"town": "Ulmm", "age": 30}).body["error"]


@pytest.mark.parametrize("handle_unknown", ["error", "ignore"])
def test_a_private_feature_is_described_by_its_kind_alone(
    start_app: Callable[..., App], tmp_path: Path, handle_unknown: str
) -> None:
    """No range, no categories and no example, however many samples share them."""
    case = published(
        encoded("town", handle_unknown=handle_unknown),
        *("town", "age", "member"),
        private=["town", "age"],
    )
    app = start_app(MODEL_URL=publish_to_folder(case.built, tmp_path).url)
    town, age, _ = app.request("GET", "/model").body["signature"]["features"]
    is_required = handle_unknown == "error"
    told = {"name": "town", "kind": "categorical", "required": is_required, "private": True}
    assert town == told
    assert age == {"name": "age", "kind": "integer", "required": False, "private": True}
    served = everything_served(app, case)
    assert not any(name in served for name in PEOPLE["town"].unique())
    schemas = app.request("GET", "/openapi.json").body["components"]["schemas"]["Sample"]
    assert not {"enum", "examples", "x-range", "x-categories"} & {
        *schemas["properties"]["town"],
        *schemas["properties"]["age"],
    }
    assert app.classify({"town": "Ulm", "age": 30, "member": True}).status == 200


def test_the_range_of_a_feature_holds_all_but_a_few_samples() -> None:
    """At least five samples are at or beyond each end, which has two digits of the range."""
    case = CASES["numbers"]()
    salary, age = load_model(case.built.artifact).manifest.document["signature"]["features"]
    for feature, column in ((salary, case.X["salary"]), (age, case.X["age"])):
        ordered = sorted(column)
        assert ordered[0] < feature["min"] <= ordered[MIN_SAMPLES - 1]
        assert ordered[-MIN_SAMPLES] <= feature["max"] < ordered[-1]
        assert feature["min"] <= feature["median"] == feature["example"] <= feature["max"]
    assert salary["max"] % 1000 == salary["min"] % 1000 == 0
