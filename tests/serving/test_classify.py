"""`POST /classify` through the Chalice test client: valid requests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.app import App
from tests.support.models import WineModel


def test_answers_the_tutorials_request(app: App) -> None:
    """The response has the prediction and nothing else."""
    response = app.request("POST", "/classify", b'{"data":".10"}')
    assert (response.status, response.body) == (200, {"prediction": "1"})


def test_ignores_a_trailing_slash(app: App) -> None:
    """`/classify/` is `/classify`."""
    assert app.request("POST", "/classify/", b'{"data":".10"}').body == {"prediction": "1"}


@pytest.mark.parametrize("data", [0.1, ".10", "0.1", "1e-1", " .1 "])
def test_accepts_the_first_feature_alone(app: App, data: object) -> None:
    """As a number, or as a string that holds one."""
    alone = app.classify({"alcohol": 0.1}, probabilities=True)
    assert app.classify(data, probabilities=True).body == alone.body


def test_reads_a_body_without_content_type_as_json(app: App) -> None:
    """JSON is the default."""
    assert app.request("POST", "/classify", b'{"data":1}', headers={}).status == 200


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "Application/JSON", "application/json; charset=UTF-8"],
)
def test_content_type_is_case_insensitive_and_may_have_a_charset(app: App, media_type: str) -> None:
    """The charset must be UTF-8."""
    headers = {"content-type": media_type}
    assert app.request("POST", "/classify", b'{"data":1}', headers=headers).status == 200


def test_the_order_of_names_does_not_matter(app: App, trained: WineModel) -> None:
    """By name in two orders and by position: one prediction."""
    sample = trained.dataset.X[7].tolist()
    by_name = dict(zip(trained.dataset.feature_names, sample, strict=True))
    backwards = dict(reversed(by_name.items()))
    responses = [
        app.classify(data, probabilities=True).body for data in (sample, by_name, backwards)
    ]
    assert responses[0] == responses[1] == responses[2]


def test_absent_and_null_are_both_missing(app: App) -> None:
    """An optional feature may be absent or null."""
    with_null = app.classify({"alcohol": 13.0, "ash": None}, probabilities=True)
    assert with_null.body == app.classify({"alcohol": 13.0}, probabilities=True).body


def test_a_batch_equals_scikit_learn(app: App, trained: WineModel) -> None:
    """All 178 wines in one batch: every label, and every probability within 1e-5."""
    estimator, dataset, _ = trained
    response = app.classify(dataset.X.tolist(), probabilities=True).body
    assert response["predictions"] == [str(label) for label in estimator.predict(dataset.X)]
    probabilities = [[row[label] for label in "012"] for row in response["probabilities"]]
    np.testing.assert_allclose(probabilities, estimator.predict_proba(dataset.X), atol=1e-5)


def test_single_samples_equal_scikit_learn(app: App, trained: WineModel) -> None:
    """All 178 wines, one per request."""
    estimator, dataset, _ = trained
    labels = [app.classify(sample).body["prediction"] for sample in dataset.X.tolist()]
    assert labels == [str(label) for label in estimator.predict(dataset.X)]


def test_a_batch_that_mixes_lists_and_objects_is_rejected(app: App, trained: WineModel) -> None:
    """Each sample of the other form is named."""
    sample, named = trained.dataset.X[0].tolist(), {"alcohol": 13.0}
    response = app.classify([sample, named, sample, named])
    assert response.status == 422
    problem = "is an object, but the first sample is a list"
    assert response.body["problems"] == [
        {"at": f"data[{index}]", "problem": problem} for index in (1, 3)
    ]


def test_a_batch_of_one_gets_a_batch(app: App) -> None:
    """The response has the form of the request."""
    assert app.classify([{"alcohol": 0.1}]).body == {"predictions": ["1"]}


def test_probabilities_are_returned_on_request_only(app: App) -> None:
    """`probabilities` defaults to false."""
    assert "probabilities" not in app.classify(1).body
    assert "probabilities" not in app.classify(1, probabilities=False).body
    probabilities: dict[str, Any] = app.classify(1, probabilities=True).body["probabilities"]
    assert sum(probabilities.values()) == pytest.approx(1)


def test_a_header_names_the_model_version(app: App, trained: WineModel) -> None:
    """`X-Model-Version`."""
    assert app.classify(1).headers["X-Model-Version"] == trained.built.version
