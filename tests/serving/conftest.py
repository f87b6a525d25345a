"""Fixtures of the tests of the model store."""

from __future__ import annotations

import pytest

from chalicelib.settings import Settings
from chalicelib.store.model_store import ModelStore
from tests.support.fake_objects import FakeClock, FakeObjects, MakeStore
from tests.support.models import WineModel


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
