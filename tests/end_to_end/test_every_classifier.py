"""Every classifier that scikit-learn has, published and asked over HTTP: the same answers."""

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

from tests.support.processes import Server, StartServer
from training.artifact import build_artifact
from training.export.coverage import BINARY, unfitted_classifiers
from training.registry import ModelRegistry
from training.wine.dataset import wine

CLASSIFIERS = list(unfitted_classifiers(max_iterations=100))
RANDOM_ROWS = 5_000
MOST_VALUES = 100_000  # in one request, which may have 6 MB


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelRegistry:
    """A store with a model in it, so that a server will start."""
    store = ModelRegistry(str(tmp_path_factory.mktemp("store")))
    X, y, _ = wine()
    store.publish(build_artifact(clone(CLASSIFIERS[0]).fit(X, y), X, y, name="first").artifact)
    return store


@pytest.fixture(scope="module")
def server(start_server: StartServer, store: ModelRegistry) -> Server:
    """A server that looks for a new model at each request."""
    return start_server(f"MODEL_URL={store.url}", MODEL_REFRESH_SECONDS="0")


def classify(server: Server, X: Any, **fields: object) -> tuple[int, str | None, Any]:
    """Ask for the classes of a batch; give the status, the version that answered and the body."""
    body = json.dumps({"data": np.asarray(X).tolist(), **fields})
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("POST", "/classify", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.headers["X-Model-Version"], json.loads(response.read())


def assert_served_exactly(
    server: Server, store: ModelRegistry, estimator: Any, X: Any, y: Any
) -> None:
    """Publish an estimator and compare what the server says with what it says itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = clone(estimator).fit(X, y)
        built = build_artifact(estimator, X, y, name=type(estimator).__name__)
        store.publish(built.artifact)
        shape = min(RANDOM_ROWS, MOST_VALUES // X.shape[1]), X.shape[1]
        random = np.random.default_rng(1).uniform(X.min(0), X.max(0), shape)
        rows = np.vstack([X, random])
        labels = [str(label) for label in estimator.predict(rows).tolist()]
        gives_probabilities = hasattr(estimator, "predict_proba")
        status, version, answer = classify(server, rows, probabilities=gives_probabilities)
        assert (status, version) == (200, built.version), answer
        assert answer["predictions"] == labels
        if gives_probabilities:
            given = [list(row.values()) for row in answer["probabilities"]]
            expected = estimator.predict_proba(rows)
            np.testing.assert_allclose(np.array(given, dtype=float), expected, rtol=0, atol=1e-5)
        else:
            status, _, refused = classify(server, X, probabilities=True)
            assert (status, refused["problems"][0]["at"]) == (422, "probabilities")
    assert built.runtime == "onnx"


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda each: type(each).__name__)
def test_a_classifier_of_scikit_learn_is_served_exactly(
    server: Server, store: ModelRegistry, estimator: ClassifierMixin
) -> None:
    """On all wines and 5,000 random rows: no label differs, no probability by more than 1e-5."""
    X, y, _ = wine()
    target = (y == 1).astype(int) if type(estimator).__name__ in BINARY else y
    assert_served_exactly(server, store, estimator, X, target)


@pytest.mark.parametrize("load", [load_iris, load_digits, load_breast_cancer])
def test_a_forest_on_other_data_is_served_exactly(
    server: Server, store: ModelRegistry, load: Callable[..., Any]
) -> None:
    """With ties among its trees and all."""
    X, y = load(return_X_y=True)
    assert_served_exactly(server, store, RandomForestClassifier(20, random_state=0), X, y)


@pytest.mark.parametrize("load", [wine, load_breast_cancer])
@pytest.mark.parametrize(
    "estimator",
    [
        LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1),
        XGBClassifier(n_estimators=20, n_jobs=1),
    ],
    ids=["lightgbm", "xgboost"],
)
def test_boosting_libraries_are_served_exactly(
    server: Server, store: ModelRegistry, estimator: ClassifierMixin, load: Callable[..., Any]
) -> None:
    """From the trees that they have fitted."""
    X, y = wine()[:2] if load is wine else load(return_X_y=True)
    assert_served_exactly(server, store, estimator, X, y)
