"""Every scikit-learn classifier predicts the same over HTTP as in scikit-learn."""

from __future__ import annotations

import http.client
import json
import warnings
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.base import ClassifierMixin, clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.ensemble import RandomForestClassifier
from xgboost import XGBClassifier

from tests.support.models import publish_to_folder
from tests.support.processes import Server, StartServer
from tests.support.waiting import wait_until
from training.artifact import build_artifact
from training.export.coverage import BINARY, unfitted_classifiers
from training.registry import ModelRegistry
from training.wine.dataset import wine

CLASSIFIERS = list(unfitted_classifiers(max_iterations=100))
RANDOM_ROWS = 5_000
MAX_VALUES = 100_000  # of one request, whose body is limited to 6 MB


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> ModelRegistry:
    """A registry with a model, which a server needs to start."""
    X, y, _ = wine()
    built = build_artifact(clone(CLASSIFIERS[0]).fit(X, y), X, y, name="first")
    return publish_to_folder(built, tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def server(start_server: StartServer, registry: ModelRegistry) -> Server:
    """A server that refreshes its model at each request."""
    return start_server(f"MODEL_URL={registry.url}", MODEL_REFRESH_SECONDS="0")


def classify(server: Server, X: Any, **fields: object) -> tuple[int, str | None, Any]:
    """Classify a batch; return the status, the model's version and the parsed body."""
    body = json.dumps({"data": np.asarray(X).tolist(), **fields})
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("POST", "/classify", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.headers["X-Model-Version"], json.loads(response.read())


def assert_served_exactly(
    server: Server, registry: ModelRegistry, estimator: Any, X: Any, y: Any
) -> None:
    """Publish an estimator and compare the server's predictions with its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = clone(estimator).fit(X, y)
        built = build_artifact(estimator, X, y, name=type(estimator).__name__)
        registry.publish(built.artifact)
        shape = min(RANDOM_ROWS, MAX_VALUES // X.shape[1]), X.shape[1]
        random_rows = np.random.default_rng(1).uniform(X.min(0), X.max(0), shape)
        rows = np.vstack([X, random_rows])
        labels = [str(label) for label in estimator.predict(rows).tolist()]
        has_probabilities = hasattr(estimator, "predict_proba")
        wait_until(lambda: classify(server, X[:1])[1] == built.version, "the model is not live")
        status, version, body = classify(server, rows, probabilities=has_probabilities)
        assert (status, version) == (200, built.version), body
        assert body["predictions"] == labels
        if has_probabilities:
            actual = [list(row.values()) for row in body["probabilities"]]
            expected = estimator.predict_proba(rows)
            np.testing.assert_allclose(np.array(actual, dtype=float), expected, rtol=0, atol=1e-5)
        else:
            status, _, error = classify(server, X, probabilities=True)
            assert (status, error["problems"][0]["at"]) == (422, "probabilities")
    assert built.runtime == "onnx"


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda estimator: type(estimator).__name__)
def test_every_sklearn_classifier_is_served_exactly(
    server: Server, registry: ModelRegistry, estimator: ClassifierMixin
) -> None:
    """On the wine data and 5,000 random rows, labels are equal and probabilities within 1e-5."""
    X, y, _ = wine()
    target = (y == 1).astype(int) if type(estimator).__name__ in BINARY else y
    assert_served_exactly(server, registry, estimator, X, target)


@pytest.mark.parametrize("load", [load_iris, load_digits, load_breast_cancer])
def test_a_forest_is_served_exactly_on_other_data(
    server: Server, registry: ModelRegistry, load: Callable[..., Any]
) -> None:
    """Ties among the trees break as in scikit-learn."""
    X, y = load(return_X_y=True)
    assert_served_exactly(server, registry, RandomForestClassifier(20, random_state=0), X, y)


@pytest.mark.parametrize("load", [wine, load_breast_cancer])
@pytest.mark.parametrize(
    "estimator",
    [
        LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1),
        XGBClassifier(n_estimators=20, n_jobs=1),
    ],
    ids=["lightgbm", "xgboost"],
)
def test_lightgbm_and_xgboost_are_served_exactly(
    server: Server, registry: ModelRegistry, estimator: ClassifierMixin, load: Callable[..., Any]
) -> None:
    """From the trees that they have fitted."""
    X, y = wine()[:2] if load is wine else load(return_X_y=True)
    assert_served_exactly(server, registry, estimator, X, y)
