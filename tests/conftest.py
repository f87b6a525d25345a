"""What the tests share: a published model, an app that serves it, an S3 server."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import numpy as np
import pandas as pd
import pytest
from chalice.test import Client
from moto.server import ThreadedMotoServer
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from training.artifact import BuiltModel, build_artifact
from training.registry import ModelRegistry
from training.wine.dataset import Dataset, split, wine
from training.wine.estimators import wine_pipeline

ROOT = Path(__file__).parent.parent
APP = ROOT / "wine-classifier"


class Trained(NamedTuple):
    """The wine model: the estimator, and what is published of it."""

    estimator: ClassifierMixin
    dataset: Dataset
    built: BuiltModel


@pytest.fixture(scope="session")
def trained() -> Trained:
    """The wine model, trained as `python -m training train` does."""
    dataset = wine()
    train = split(dataset, seed=0).train
    estimator = wine_pipeline().fit(train.X, train.y)
    built = build_artifact(
        estimator, train.X, train.y, name="wine", feature_names=dataset.feature_names
    )
    return Trained(estimator, dataset, built)


@pytest.fixture(scope="session")
def needy(trained: Trained) -> BuiltModel:
    """A model that can do without no feature, as it imputes nothing."""
    dataset = trained.dataset
    estimator = wine_pipeline()[1:].fit(dataset.X, dataset.y)
    return build_artifact(
        estimator, dataset.X, dataset.y, name="needy", feature_names=dataset.feature_names
    )


@pytest.fixture(scope="session")
def mixed() -> BuiltModel:
    """A model of a number, a whole number, a truth value and a category."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=80),
            "count": rng.integers(0, 5, size=80),
            "old": rng.random(80) > 0.5,
            "colour": rng.choice(["red", "white"], size=80),
        }
    )
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="error"), ["colour"]), remainder="passthrough"
    )
    labels = np.where(frame["size"] + frame["count"] > 2, "yes", "no")
    estimator = make_pipeline(encoder, LogisticRegression()).fit(frame, labels)
    return build_artifact(estimator, frame, labels, name="mixed")


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_environment(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a process needs in its environment to use the S3 server; set in this one too."""
    environment = {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


@pytest.fixture(params=["folder", "s3"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store, once in a folder and once on S3."""
    if request.param == "folder":
        return (tmp_path / "store").as_uri()
    request.getfixturevalue("s3_environment")
    bucket = f"models-{os.urandom(4).hex()}"
    location = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    return f"s3://{bucket}/some/prefix"


@pytest.fixture
def wine_store(trained: Trained, tmp_path: Path) -> ModelRegistry:
    """A store in a folder, in which the wine model is live."""
    store = ModelRegistry(str(tmp_path / "store"))
    store.publish(trained.built.artifact)
    return store


class Answer(NamedTuple):
    """What the app answered."""

    status: int
    headers: dict[str, str]
    body: Any


class App:
    """The app, started anew, behind the Chalice test client."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("app", APP / "app.py")
        assert spec is not None
        assert spec.loader is not None
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self._http = Client(self.module.app, stage_name="local", project_dir=str(APP)).http

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        """Send any request; the answer must be JSON in either case."""
        answer = self.send(method, path, body, headers)
        assert answer.headers["Content-Type"] == "application/json"
        return answer._replace(body=json.loads(answer.body))

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        """Send any request, and have the answer's body as bytes."""
        headers = {"Content-Type": "application/json"} if headers is None else headers
        response = self._http.request(method, path, headers=headers, body=body)
        return Answer(response.status_code, response.headers, response.body)

    def classify(self, data: object, **fields: object) -> Answer:
        """Ask for a classification."""
        return self.request("POST", "/classify", json.dumps({"data": data, **fields}).encode())


@pytest.fixture
def start_app(monkeypatch: pytest.MonkeyPatch) -> Callable[..., App]:
    """Start the app with the environment variables that are given."""

    def start(**environment: str) -> App:
        monkeypatch.delenv("MODEL_URL", raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return App()

    return start


@pytest.fixture
def app(start_app: Callable[..., App], wine_store: ModelRegistry) -> App:
    """The app, serving the wine model."""
    return start_app(MODEL_URL=wine_store.url)


@pytest.fixture
def mixed_app(start_app: Callable[..., App], mixed: BuiltModel, tmp_path: Path) -> App:
    """The app, serving the mixed model."""
    store = ModelRegistry(str(tmp_path / "mixed"))
    store.publish(mixed.artifact)
    return start_app(MODEL_URL=store.url)
