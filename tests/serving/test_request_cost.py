"""Requests that would cost too much are rejected before the model is run."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from chalicelib.inputs import text_encoding
from chalicelib.inputs.samples import Samples
from chalicelib.models.model import load_model
from chalicelib.runtimes import sklearn_classifier
from chalicelib.runtimes.onnx_classifier import OnnxClassifier
from tests.support.app import App, Response
from tests.support.errors import is_error
from tests.support.models import WineModel, publish_to_folder
from training.artifact import BuiltModel, build_artifact

TEXTS = ["good film", "bad film", "good good food", "bad bad food"] * 5
LABELS = ["yes", "no"] * 10
LONG_LABEL = "x" * 2_000
MANY_ROWS = 3_200  # labels of 6.4 MB
CSV = {"Content-Type": "text/csv"}


def text_model(vectorizer: Any, runtime: str = "onnx") -> BuiltModel:
    """Build a model of a text."""
    estimator = make_pipeline(vectorizer, LogisticRegression()).fit(TEXTS, LABELS)
    return build_artifact(estimator, TEXTS, LABELS, name="text", runtime=runtime)


@pytest.fixture
def serve(start_app: Callable[..., App], tmp_path: Path) -> Callable[[BuiltModel], App]:
    """Return a function that starts the app with a model."""
    return lambda built: start_app(MODEL_URL=publish_to_folder(built, tmp_path / "store").url)


def send_as_text(app: App, texts: list[str]) -> list[Response]:
    """Send texts in each protocol."""
    tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts}
    infer = json.dumps({"inputs": [tensor]}).encode()
    return [
        app.classify([[text] for text in texts]),
        app.request("POST", "/invocations", "\n".join(texts).encode(), CSV),
        app.request("POST", "/v2/models/text/infer", infer),
    ]


def test_texts_of_too_many_terms_are_rejected(
    serve: Callable[[BuiltModel], App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says how many characters are accepted, and so many are."""
    monkeypatch.setattr(text_encoding, "MAX_TERMS", 50)
    app = serve(text_model(TfidfVectorizer()))
    for response in send_as_text(app, ["ab " * 10, "ab " * 30]):
        assert response.status == 413
        assert response.body == {
            "error": "The texts of this request may hold at most 100 characters: send fewer at a"
            " time."
        }
    for response in send_as_text(app, ["ab " * 10, "a" * 70]):
        assert response.status == 200


def test_pairs_of_words_count_as_terms_too(
    serve: Callable[[BuiltModel], App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Single words and pairs are twice as many."""
    monkeypatch.setattr(text_encoding, "MAX_TERMS", 50)
    app = serve(text_model(TfidfVectorizer(ngram_range=(1, 2))))
    assert [app.classify("x" * count).status for count in (50, 51)] == [200, 413]


def test_hashing_a_term_costs_more_than_looking_it_up(
    serve: Callable[[BuiltModel], App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight times as much, in Python."""
    monkeypatch.setattr(text_encoding, "MAX_TERMS", 80)
    app = serve(text_model(HashingVectorizer(n_features=16)))
    assert [app.classify("x" * count).status for count in (20, 21)] == [200, 413]


def test_characters_that_become_several_count_as_these(
    serve: Callable[[BuiltModel], App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ligature of 18 letters is short in a request, not in the terms."""
    monkeypatch.setattr(text_encoding, "MAX_TERMS", 80)
    app = serve(text_model(TfidfVectorizer(strip_accents="unicode")))
    assert [app.classify(text * 10).status for text in ("x", "\ufdfa")] == [200, 413]


def test_a_batch_of_texts_with_many_columns_is_rejected(
    serve: Callable[[BuiltModel], App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model has a column for each of four words."""
    monkeypatch.setattr(text_encoding, "MAX_ENCODED_VALUES", 40)
    app = serve(text_model(TfidfVectorizer()))
    for response in send_as_text(app, ["x"] * 11):
        assert response.status == 413
        assert response.body == {"error": "A batch may hold at most 10 samples."}
    assert {response.status for response in send_as_text(app, ["x"] * 10)} == {200}


def test_one_text_is_accepted_whatever_its_columns(
    serve: Callable[[BuiltModel], App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the model could not be used."""
    monkeypatch.setattr(text_encoding, "MAX_ENCODED_VALUES", 3)
    assert serve(text_model(TfidfVectorizer())).classify("good").status == 200


def test_scikit_learn_gets_a_bounded_number_of_characters(
    serve: Callable[[BuiltModel], App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All texts of a request together."""
    monkeypatch.setattr(sklearn_classifier, "MAX_TEXT_CHARACTERS", 20)
    app = serve(text_model(TfidfVectorizer(), runtime="sklearn"))
    assert [app.classify([["x" * 10], ["x" * count]]).status for count in (10, 11)] == [200, 413]


def test_a_response_of_long_labels_is_not_built(serve: Callable[[BuiltModel], App]) -> None:
    """Lambda would not deliver it."""
    X = np.arange(20.0).reshape(-1, 1)
    labels = np.where(X[:, 0] < 10, "no", LONG_LABEL)
    app = serve(build_artifact(LogisticRegression().fit(X, labels), X, labels, name="long"))
    tensor = {"name": "x", "shape": [MANY_ROWS, 1], "datatype": "FP64", "data": [19] * MANY_ROWS}
    bodies = {
        "/classify": {"data": [[19]] * MANY_ROWS},
        "/invocations": [[19]] * MANY_ROWS,
        "/v2/models/long/infer": {"inputs": [tensor]},
    }
    for path, body in bodies.items():
        response = app.request("POST", path, json.dumps(body).encode())
        assert response.status == 413, path
        assert is_error(response.body)
    # Probabilities have the label of every class, for every sample.
    assert app.classify([[1]] * MANY_ROWS, probabilities=True).status == 413
    assert app.classify([[1]] * 7).body == {"predictions": ["no"] * 7}
    assert app.classify(19).body == {"prediction": LONG_LABEL}


def test_a_kernel_is_computed_for_few_samples_at_once() -> None:
    """Its values for all support vectors take memory; the predictions are those of one run."""
    random = np.random.default_rng(0)
    X, y = random.standard_normal((1_500, 5)), random.integers(0, 2, 1_500)
    estimator = SVC().fit(X, y)
    model = load_model(build_artifact(estimator, X, y, name="kernel", cv=0).artifact)
    assert isinstance(model.classifier, OnnxClassifier)
    assert model.classifier.row_values == len(estimator.support_vectors_)
    samples = Samples(1_500, array("d", X.ravel().tolist()), [])
    assert model.classifier.predict(samples).labels == estimator.predict(X).astype(str).tolist()


def test_a_small_graph_is_run_with_as_many_samples_as_any(trained: WineModel) -> None:
    """Its manifest says nothing of the width."""
    assert "row_values" not in load_model(trained.built.artifact).manifest.document
