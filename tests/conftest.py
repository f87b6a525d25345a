"""Fixtures for all tests: models, stores, an S3 server and the app."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import numpy as np
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.support.app import App
from tests.support.models import WineModel, publish_to_folder
from training.artifact import BuiltModel, build_artifact
from training.registry import ModelRegistry
from training.wine.dataset import split, wine
from training.wine.estimators import wine_pipeline


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this test run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def trained() -> WineModel:
    """The wine model, fitted as ``python -m training train`` does."""
    dataset = wine()
    train = split(dataset, seed=0).train
    estimator = wine_pipeline().fit(train.X, train.y)
    built = build_artifact(
        estimator, train.X, train.y, name="wine", feature_names=dataset.feature_names
    )
    return WineModel(estimator, dataset, built)


@pytest.fixture(scope="session")
def all_required(trained: WineModel) -> BuiltModel:
    """A model whose features are all required, because it imputes nothing."""
    dataset = trained.dataset
    estimator = wine_pipeline()[1:].fit(dataset.X, dataset.y)
    return build_artifact(
        estimator, dataset.X, dataset.y, name="all_required", feature_names=dataset.feature_names
    )


@pytest.fixture(scope="session")
def mixed() -> BuiltModel:
    """A model with a numeric, an integer, a boolean and a categorical feature."""
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
    """The URL of a local S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_environment(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment variables of the S3 server's clients, set for this process too."""
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
    """The URL of an empty store, once in a folder and once on S3."""
    if request.param == "folder":
        return (tmp_path / "store").as_uri()
    request.getfixturevalue("s3_environment")
    bucket = f"models-{os.urandom(4).hex()}"
    location = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    return f"s3://{bucket}/some/prefix"


@pytest.fixture
def wine_store(trained: WineModel, tmp_path: Path) -> ModelRegistry:
    """A registry in a folder, in which the wine model is live."""
    return publish_to_folder(trained.built, tmp_path / "store")


@pytest.fixture
def start_app(monkeypatch: pytest.MonkeyPatch) -> Callable[..., App]:
    """Return a function that starts the app with environment variables."""

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
def wines(trained: WineModel) -> list[list[float]]:
    """Three wines."""
    rows: list[list[float]] = trained.dataset.X[[0, 70, 150]].tolist()
    return rows


@pytest.fixture
def mixed_app(start_app: Callable[..., App], mixed: BuiltModel, tmp_path: Path) -> App:
    """The app, serving the mixed model."""
    return start_app(MODEL_URL=publish_to_folder(mixed, tmp_path / "mixed").url)
