"""Probabilities that are not numbers, and models without any."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import CategoricalNB

from chalicelib.errors import InvalidArtifact, InvalidRequest
from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.samples import Samples
from chalicelib.models.model import Model, load_model
from chalicelib.models.predict import predict
from chalicelib.runtimes.base import Prediction
from tests.support.app import App
from tests.support.artifacts import rewrite_manifest
from tests.support.models import WineModel, publish_to_folder
from training.artifact import BuiltModel, build_artifact

# One class never has the first feature, the other never the second: a sample with both has the
# likelihood 0 of each class, and scikit-learn's probabilities of it are NaN.
IMPOSSIBLE = [1.0, 1.0]
X = np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]] * 20)
Y = np.array(["no", "no", "yes", "yes"] * 20)


class FixedClassifier:
    """A classifier with the same probabilities whatever the samples are."""

    runtime = "none"

    def __init__(self, probabilities: list[float]) -> None:
        self._probabilities = probabilities

    def check_cost(self, samples: Samples) -> None:
        """Accept all samples."""

    def predict(self, samples: Samples) -> Prediction:
        """Return the first label for each sample."""
        return Prediction(["0"] * samples.rows, array("d", self._probabilities))


@pytest.fixture(scope="module")
def undefined() -> BuiltModel:
    """A model whose probabilities of one sample are NaN, as scikit-learn's are."""
    estimator = CategoricalNB(alpha=0, force_alpha=True)
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        estimator.fit(X, Y)
    return build_artifact(
        estimator, np.vstack([X, [IMPOSSIBLE]]), np.append(Y, "no"), name="undefined"
    )


@pytest.fixture
def undefined_app(start_app: Callable[..., App], undefined: BuiltModel, tmp_path: Path) -> App:
    """The app, serving that model."""
    return start_app(MODEL_URL=publish_to_folder(undefined, tmp_path / "undefined").url)


@pytest.fixture(scope="module")
def without() -> BuiltModel:
    """A model without probabilities."""
    return build_artifact(RidgeClassifier().fit(X, Y), X, Y, name="without")


def test_a_probability_that_is_nan_for_scikit_learn_is_null(undefined_app: App) -> None:
    """JSON has no NaN; the other samples of a batch have theirs."""
    usual = {"no": pytest.approx(1.0), "yes": pytest.approx(0.0)}
    response = undefined_app.classify([[0.0, 1.0], IMPOSSIBLE], probabilities=True)
    assert response.status == 200
    assert response.body["probabilities"] == [usual, {"no": None, "yes": None}]
    response = undefined_app.classify(IMPOSSIBLE, probabilities=True)
    assert response.body["probabilities"] == {"no": None, "yes": None}
    assert undefined_app.classify(IMPOSSIBLE).status == 200


def test_a_request_for_probabilities_of_a_model_without_any_has_one_problem(
    start_app: Callable[..., App], without: BuiltModel, tmp_path: Path
) -> None:
    """Whatever the samples are."""
    app = start_app(MODEL_URL=publish_to_folder(without, tmp_path / "without").url)
    response = app.classify([[0.0, 1.0]] * 3, probabilities=True)
    assert response.status == 422
    assert response.body["error"] == "probabilities are not available: the model has none."


def test_a_tensor_has_null_for_nan(undefined_app: App) -> None:
    """The same as in `/classify`."""
    samples = {"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [IMPOSSIBLE, [0.0, 1.0]]}
    body = json.dumps({"inputs": [samples], "outputs": [{"name": "predict_proba"}]}).encode()
    response = undefined_app.request("POST", "/v2/models/undefined/infer", body)
    [output] = response.body["outputs"]
    assert output["data"] == [None, None, pytest.approx(1.0), pytest.approx(0.0)]


@pytest.mark.parametrize(
    ("probabilities", "paths"),
    [
        ([1.0, 0.0, 0.0, nan, nan, nan, 0.0, 1.0, 0.0], ["data[1]"]),
        ([inf, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -inf], ["data[0]", "data[2]"]),
    ],
)
def test_a_probability_that_is_no_number_by_overflow_is_rejected(
    trained: WineModel, probabilities: list[float], paths: list[str]
) -> None:
    """Of each sample that has one."""
    manifest = load_model(trained.built.artifact).manifest
    model = Model(manifest, FixedClassifier(probabilities))
    with pytest.raises(InvalidRequest) as caught:
        predict([[1.0] * 13] * 3, model, locate_in_rows("data"), max_rows=3)
    problem = "has values too large for the model"
    assert caught.value.problems == [(path, problem) for path in paths]


def test_the_only_row_of_a_table_that_overflows_is_named(trained: WineModel) -> None:
    """A table is a batch, whatever its length."""
    manifest = load_model(trained.built.artifact).manifest
    model = Model(manifest, FixedClassifier([nan, nan, nan]))
    table = Samples(1, array("d", [1.0] * 13), [])
    with pytest.raises(InvalidRequest) as caught:
        predict(table, model, locate_in_rows("data"), max_rows=1)
    assert [problem.at for problem in caught.value.problems] == ["data[0]"]


@pytest.mark.parametrize("change", [lambda rows: rows.pop(), lambda rows: rows.append(rows[0])])
def test_golden_samples_have_a_row_of_probabilities_each(
    trained: WineModel, change: Callable[[list[Any]], object]
) -> None:
    """A row less or more is none of the classifier's."""

    def change_rows(manifest: dict[str, Any]) -> None:
        change(manifest["golden_samples"]["probabilities"])

    with pytest.raises(InvalidArtifact, match="differ from scikit-learn"):
        load_model(rewrite_manifest(trained.built.artifact, change_rows))


def test_golden_samples_have_probabilities_if_the_model_has(
    trained: WineModel, without: BuiltModel
) -> None:
    """And none if it has none: else they were not made by the classifier that was exported."""

    def drop(manifest: dict[str, Any]) -> None:
        manifest["golden_samples"]["probabilities"] = None

    def add(manifest: dict[str, Any]) -> None:
        manifest["golden_samples"]["probabilities"] = [[0, 1]] * len(
            manifest["golden_samples"]["labels"]
        )

    assert load_model(without.artifact).manifest.golden_samples.probabilities is None
    for artifact, change in ((trained.built.artifact, drop), (without.artifact, add)):
        with pytest.raises(InvalidArtifact, match="differ from scikit-learn") as caught:
            load_model(rewrite_manifest(artifact, change))
        assert caught.value.reason == "wrong predictions"


@pytest.mark.parametrize("change", [9e-6, -9e-6, 1.1e-5, -1.1e-5, nan])
@pytest.mark.parametrize("row", [0, -1])
def test_golden_probabilities_may_differ_by_the_tolerance(
    trained: WineModel, change: float, row: int
) -> None:
    """By 1e-5 up or down, in any of them."""

    def shift(manifest: dict[str, Any]) -> None:
        manifest["golden_samples"]["probabilities"][row][row] += change

    artifact = rewrite_manifest(trained.built.artifact, shift)
    if abs(change) < 1e-5:
        assert load_model(artifact).manifest.name == "wine"
    else:
        with pytest.raises(InvalidArtifact, match="differ from scikit-learn"):
            load_model(artifact)


@pytest.mark.parametrize("part", ["a row", "a class"])
def test_golden_probabilities_are_of_every_sample_and_class(trained: WineModel, part: str) -> None:
    """One too few is not compared with what is left."""

    def shorten(manifest: dict[str, Any]) -> None:
        rows = manifest["golden_samples"]["probabilities"]
        (rows if part == "a row" else rows[-1]).pop()

    with pytest.raises(InvalidArtifact, match="differ from scikit-learn"):
        load_model(rewrite_manifest(trained.built.artifact, shorten))


class FaultyClassifier(FixedClassifier):
    """A classifier that fails on every sample."""

    def predict(self, samples: Samples) -> Prediction:
        """Raise an error."""
        raise ZeroDivisionError(samples.rows)


def test_samples_on_which_the_model_fails_are_rejected(trained: WineModel) -> None:
    """As one problem of the request, in words of this project's."""
    model = Model(load_model(trained.built.artifact).manifest, FaultyClassifier([]))
    with pytest.raises(InvalidRequest) as caught:
        predict([[1.0] * 13] * 3, model, locate_in_rows("data"), max_rows=3)
    assert caught.value.problems == [("data", "has values that the model cannot compute")]
    assert str(caught.value) == "data has values that the model cannot compute."
