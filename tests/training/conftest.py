"""Fixtures of the tests of training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.app import App
from tests.support.served import Serve, Served
from training.artifact import build_artifact
from training.registry import ModelRegistry


@pytest.fixture
def serve(start_app: Callable[..., App], tmp_path: Path) -> Serve:
    """Publish a fitted classifier and start the app."""

    def start(estimator: Any, X: Any, y: Any, **options: Any) -> Served:
        registry = ModelRegistry(str(tmp_path / "served"))
        built = build_artifact(estimator, X, y, name="model", **options)
        registry.publish(built.artifact)
        return Served(start_app(MODEL_URL=registry.url), built)

    return start
