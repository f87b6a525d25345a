"""What the tests share: a published model, an app that serves it, an S3 server."""

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
from tests.support.models import Trained
from training.artifact import BuiltModel, build_artifact
from training.registry import ModelRegistry
from training.wine.dataset import split, wine
from training.wine.estimators import wine_pipeline


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
