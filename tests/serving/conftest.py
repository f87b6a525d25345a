"""Fixtures that several modules of tests of the server use."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from chalicelib.settings import Settings
from chalicelib.store.model_store import ModelStore
from tests.support.fake_objects import FakeClock, FakeObjects, MakeStore
from tests.support.models import WineModel
from training.artifact import BuiltModel, build_artifact


@pytest.fixture
def objects(trained: WineModel) -> FakeObjects:
    """An object store with the wine model."""
    return FakeObjects(trained.built.artifact)


@pytest.fixture
def clock() -> FakeClock:
    """A clock at 0."""
    return FakeClock()


@pytest.fixture
def make_store(objects: FakeObjects, clock: FakeClock) -> MakeStore:
    """Make a model store with a refresh interval in seconds."""
    return lambda seconds: ModelStore(
        objects,
        Settings("s3://bucket/prefix", refresh_seconds=seconds),
        clock,
        start=lambda check: check(),
    )


@pytest.fixture(scope="session")
def people() -> BuiltModel:
    """A model with two numbers, a text and a private text; values may be missing."""
    random = np.random.default_rng(0)
    X = pd.DataFrame({"age": random.uniform(10, 20, 100), "height": random.uniform(1, 2, 100)})
    X["town"] = random.choice(["Ulm", "Bonn"], 100)
    X["secret"] = random.choice(["a", "b"], 100)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["town", "secret"]),
        remainder="passthrough",
    )
    y = X["age"] > 15
    estimator = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=3)).fit(X, y)
    return build_artifact(estimator, X, y, name="people", private=["secret"])
