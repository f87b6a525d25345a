"""A request holds as many samples as the model computes in its time, and at least one."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from chalicelib.errors import InvalidArtifact
from chalicelib.inputs import text_encoding
from chalicelib.models.model import verify
from tests.support.app import App, Response
from tests.support.artifacts import rewrite_manifest, with_row_seconds
from tests.support.models import WineModel
from training.artifact import build_artifact
from training.registry import ModelRegistry

TEXTS = ["good film", "bad film", "good good food", "bad bad food"] * 5
REASON = {"error": "A batch may hold at most 4 samples: the model takes 180 ms for each."}


@pytest.fixture
def serve(start_app: Callable[..., App], tmp_path: Path) -> Callable[..., App]:
    """Return a function that starts the app with an artifact and settings."""

    def start(artifact: bytes, **environment: str) -> App:
        registry = ModelRegistry(str(tmp_path / "store"))
        registry.publish(artifact)
        return start_app(MODEL_URL=registry.url, **environment)

    return start


def send(app: App, rows: int) -> list[Response]:
    """Send a batch in each form."""
    tensor = {"name": "x", "shape": [rows, 13], "datatype": "FP64", "data": [1] * 13 * rows}
    column = {"name": "ash", "shape": [rows], "datatype": "FP64", "data": [1] * rows}
    bodies: list[tuple[str, Any]] = [
        ("/classify", {"data": [{"ash": 1}] * rows}),
        ("/invocations", [[1] * 13] * rows),
        ("/invocations", {"inputs": {"ash": [1] * rows}}),
        ("/v2/models/wine/infer", {"inputs": [tensor]}),
        ("/v2/models/wine/infer", {"inputs": [column]}),
    ]
    responses = [app.request("POST", path, json.dumps(body).encode()) for path, body in bodies]
    csv = ("ash\n" + "1\n" * rows).encode()
    return [*responses, app.request("POST", "/invocations", csv, {"Content-Type": "text/csv"})]


def test_a_batch_that_takes_a_slow_model_too_long_is_a_413(
    serve: Callable[..., App], trained: WineModel
) -> None:
    """The response says how many samples are accepted and why; so does the API's description."""
    app = serve(with_row_seconds(trained.built.artifact, 0.18))
    for response in send(app, 5):
        assert (response.status, response.body) == (413, REASON)
    assert {response.status for response in send(app, 4)} == {200}
    schemas = app.request("GET", "/openapi.json").body["components"]["schemas"]
    assert schemas["Batch"]["description"].startswith("At most 4 samples,")
    assert app.request("GET", "/model").body["row_seconds"] == 0.18


def test_the_time_is_a_setting(serve: Callable[..., App], trained: WineModel) -> None:
    """Whoever waits longer may send more."""
    app = serve(with_row_seconds(trained.built.artifact, 0.18), MODEL_MAX_SECONDS="2")
    assert [app.classify([{"ash": 1}] * rows).status for rows in (11, 12)] == [200, 413]


def test_the_settings_may_allow_fewer_than_the_time_does(
    serve: Callable[..., App], trained: WineModel
) -> None:
    """Then the model is not the reason."""
    app = serve(with_row_seconds(trained.built.artifact, 0.18), MODEL_MAX_ROWS="3")
    response = app.classify([{"ash": 1}] * 4)
    assert response.status == 413
    assert response.body == {"error": "A batch may hold at most 3 samples."}


def test_one_sample_is_accepted_however_slow_the_model_is(
    serve: Callable[..., App], trained: WineModel
) -> None:
    """A model that rejects every sample is of no use."""
    app = serve(with_row_seconds(trained.built.artifact, 2_500))
    assert {response.status for response in send(app, 1)} == {200}
    error = app.classify([{"ash": 1}] * 2).body["error"]
    assert error == "A batch may hold at most 1 sample: the model takes 2,500,000 ms for each."


def test_a_model_without_a_measured_time_is_bounded_by_the_settings(
    serve: Callable[..., App], trained: WineModel
) -> None:
    """Models that were published before it was measured have none."""

    def drop(manifest: dict[str, Any]) -> None:
        del manifest["row_seconds"]

    app = serve(rewrite_manifest(trained.built.artifact, drop))
    assert [app.classify([{"ash": 1}] * rows).status for rows in (10_000, 10_001)] == [200, 413]


def test_the_limit_of_texts_has_another_reason(
    serve: Callable[..., App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of both limits the lower one is told."""
    monkeypatch.setattr(text_encoding, "MAX_ENCODED_VALUES", 40)  # 10 samples of 4 words
    labels = ["yes", "no"] * 10
    estimator = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, labels)
    built = build_artifact(estimator, TEXTS, labels, name="text")
    app = serve(with_row_seconds(built.artifact, 0.05))
    errors = [app.classify([["x"]] * rows).body["error"] for rows in (11, 16)]
    assert errors == [
        "A batch may hold at most 10 samples.",
        "A batch may hold at most 15 samples: the model takes 50 ms for each.",
    ]


@pytest.mark.parametrize("seconds", [-1, nan, inf, -inf, "x", None, [], 10**400])
def test_an_invalid_time_makes_the_manifest_unreadable(seconds: object, trained: WineModel) -> None:
    """Whoever can write to the bucket may have written anything."""
    with pytest.raises(InvalidArtifact) as error:
        verify(with_row_seconds(trained.built.artifact, seconds))
    assert error.value.reason == "unreadable manifest"
