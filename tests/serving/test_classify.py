"""`POST /classify` behind the Chalice test client: what is right is answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.app import App
from tests.support.models import Trained


def test_answers_the_tutorials_request(app: App) -> None:
    """The tutorial's body gives the tutorial's answer, and no more."""
    answer = app.request("POST", "/classify", b'{"data":".10"}')
    assert (answer.status, answer.body) == (200, {"prediction": "1"})


def test_ignores_a_slash_at_the_end(app: App) -> None:
    """`/classify/` is `/classify`."""
    assert app.request("POST", "/classify/", b'{"data":".10"}').body == {"prediction": "1"}


@pytest.mark.parametrize("data", [0.1, ".10", "0.1", "1e-1", " .1 "])
def test_takes_the_first_feature_alone(app: App, data: object) -> None:
    """A number, or a string that holds one, is the first feature."""
    alone = app.classify({"alcohol": 0.1}, probabilities=True)
    assert app.classify(data, probabilities=True).body == alone.body


def test_takes_no_content_type_for_json(app: App) -> None:
    """A client that names no media type sends JSON."""
    assert app.request("POST", "/classify", b'{"data":1}', headers={}).status == 200


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "Application/JSON", "application/json; charset=UTF-8"],
)
def test_takes_json_however_it_is_spelt(app: App, media_type: str) -> None:
    """Media types are not case-sensitive, and may name the charset that JSON has."""
    headers = {"content-type": media_type}
    assert app.request("POST", "/classify", b'{"data":1}', headers=headers).status == 200


def test_names_in_any_order_are_the_same_sample(app: App, trained: Trained) -> None:
    """By name, by position, and by name backwards give one answer."""
    sample = trained.dataset.X[7].tolist()
    by_name = dict(zip(trained.dataset.feature_names, sample, strict=True))
    backwards = dict(reversed(by_name.items()))
    answers = [app.classify(data, probabilities=True).body for data in (sample, by_name, backwards)]
    assert answers[0] == answers[1] == answers[2]


def test_absent_and_null_are_the_same(app: App) -> None:
    """An optional feature may be left out or null."""
    with_null = app.classify({"alcohol": 13.0, "ash": None}, probabilities=True)
    assert with_null.body == app.classify({"alcohol": 13.0}, probabilities=True).body


def test_labels_equal_those_of_scikit_learn_in_one_batch(app: App, trained: Trained) -> None:
    """All 178 wines at once: every label, and every probability within 1e-5."""
    estimator, dataset, _ = trained
    answer = app.classify(dataset.X.tolist(), probabilities=True).body
    assert answer["predictions"] == [str(label) for label in estimator.predict(dataset.X)]
    probabilities = [[row[label] for label in "012"] for row in answer["probabilities"]]
    np.testing.assert_allclose(probabilities, estimator.predict_proba(dataset.X), atol=1e-5)


def test_labels_equal_those_of_scikit_learn_one_by_one(app: App, trained: Trained) -> None:
    """All 178 wines, each in a request of its own."""
    estimator, dataset, _ = trained
    labels = [app.classify(sample).body["prediction"] for sample in dataset.X.tolist()]
    assert labels == [str(label) for label in estimator.predict(dataset.X)]


def test_a_batch_may_mix_names_and_positions(app: App, trained: Trained) -> None:
    """A batch holds lists, objects or both."""
    sample = trained.dataset.X[0].tolist()
    answer = app.classify([sample, {"alcohol": 13.0}])
    assert len(answer.body["predictions"]) == 2


def test_a_batch_of_one_is_answered_as_a_batch(app: App) -> None:
    """The answer has the form of the request."""
    assert app.classify([{"alcohol": 0.1}]).body == {"predictions": ["1"]}


def test_probabilities_come_only_when_asked_for(app: App) -> None:
    """`probabilities` may be false, and is when it is absent."""
    assert "probabilities" not in app.classify(1).body
    assert "probabilities" not in app.classify(1, probabilities=False).body
    probabilities: dict[str, Any] = app.classify(1, probabilities=True).body["probabilities"]
    assert sum(probabilities.values()) == pytest.approx(1)


def test_names_the_model_that_answered(app: App, trained: Trained) -> None:
    """The version is in a header."""
    assert app.classify(1).headers["X-Model-Version"] == trained.built.version
