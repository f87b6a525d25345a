"""Metrics of the user's own, of any shape, in the manifest and in the list of versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chalicelib.models.artifact import read_manifest
from tests.support.models import WineModel
from training.__main__ import main
from training.errors import NotServable
from training.publish import publish
from training.registry import ModelRegistry


def publish_with(metrics: Any, trained: WineModel, store: Path) -> None:
    """Publish the wine model with metrics."""
    X, y, names = trained.dataset
    publish(trained.estimator, X, y, to=str(store), feature_names=names, metrics=metrics)


@pytest.mark.parametrize(
    ("metrics", "listed"),
    [
        ({}, ""),
        ({"f1": 0.9}, ""),
        ({"accuracy": 0.91}, "0.910"),
        ({"accuracy": np.float32(0.5)}, "0.500"),
        ({"accuracy": {"estimate": 0.92, "low": 0.9}}, "0.920"),
        ({"accuracy": {"mean": 0.9}}, ""),
        ({"accuracy": "high"}, ""),
        ({"accuracy": [0.9]}, ""),
        ({"accuracy": None, "confusion": np.eye(2)}, ""),
    ],
)
def test_metrics_of_any_shape_are_published_and_listed(
    trained: WineModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    metrics: dict[str, Any],
    listed: str,
) -> None:
    """The list shows an accuracy where it finds one."""
    publish_with(metrics, trained, tmp_path)
    stored = read_manifest((tmp_path / "current").read_bytes())["metrics"]
    assert stored == json.loads(json.dumps(metrics, default=lambda value: value.tolist()))
    assert main(["versions", "--store", str(tmp_path)]) == 0
    heading, _, row = capsys.readouterr().out.splitlines()
    start = heading.index("accuracy")
    assert row[start : start + len("accuracy")].strip() == listed


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        (0.9, "must be a dict, not float"),
        ([("accuracy", 0.9)], "must be a dict, not list"),
        ({"accuracy": float("nan")}, "numbers but NaN"),
        ({"accuracy": np.array([np.inf])}, "numbers but NaN"),
        ({"when": {1, 2}}, "set is not a JSON type"),
        ({("a", "b"): 1}, "text as keys"),
    ],
)
def test_metrics_that_json_cannot_hold_are_one_clear_error(
    trained: WineModel, tmp_path: Path, metrics: Any, reason: str
) -> None:
    """Nothing is written."""
    with pytest.raises(NotServable, match=reason):
        publish_with(metrics, trained, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_versions_of_other_publishers_are_listed(
    trained: WineModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whose manifests have no metrics."""
    registry = ModelRegistry(str(tmp_path))
    registry.publish(trained.built.artifact)
    monkeypatch.setattr(ModelRegistry, "manifests", lambda *_: [{"runtime": "onnx"}])
    assert main(["versions", "--store", str(tmp_path)]) == 0
    assert trained.built.version in capsys.readouterr().out
