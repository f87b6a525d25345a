"""Publishing measures the memory of a model in a process of its own, and rejects one too large."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from sklearn.datasets import make_classification
from sklearn.neural_network import MLPClassifier

from chalicelib.errors import InvalidArtifact, ObjectNotFound
from chalicelib.models.artifact import read_manifest
from chalicelib.models.model import load_model
from tests.support.hostile_graphs import replace_model, tree, without_audit
from tests.support.models import WineModel
from tests.support.paths import APP
from training.__main__ import main
from training.artifact import BuiltModel, build_artifact
from training.errors import NotServable
from training.memory import check_memory, stage_memory
from training.registry import ModelRegistry


@pytest.fixture(scope="module")
def large() -> BuiltModel:
    """A network of over a megabyte."""
    X, y = make_classification(200, 20, random_state=0)
    estimator = MLPClassifier((400, 400), max_iter=1, random_state=0)
    with pytest.warns():  # not converged: only its size matters
        estimator.fit(X, y)
    return build_artifact(estimator, X, y, name="large")


def test_the_manifest_of_a_large_model_has_the_memory_it_needs(
    large: BuiltModel, trained: WineModel
) -> None:
    """In MB: idle, while it is loaded, and while another is loaded beside it."""
    memory = read_manifest(large.artifact)["memory"]
    size = len(large.artifact) // 1_000_000
    assert memory["idle"] + size < memory["load"] < memory["swap"] < 400
    assert "memory" not in read_manifest(trained.built.artifact)


def test_a_model_that_does_not_fit_the_function_is_not_published(
    large: BuiltModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what it takes and what to change."""
    memory = read_manifest(large.artifact)["memory"]
    path = tmp_path / "large.onnx"
    path.write_bytes(large.artifact)
    too_little = str(memory["load"] - 1)
    command = ["publish", str(path), "--to", str(tmp_path / "store")]
    assert main([*command, "--memory", too_little]) == 2
    assert f"takes {memory['load']} MB of memory, and the function has {too_little} MB" in (
        capsys.readouterr().err
    )
    with pytest.raises(ObjectNotFound):
        ModelRegistry(str(tmp_path / "store")).live_version()
    assert main(command) == 0  # into the 512 MB of the project's configuration


def test_a_model_that_cannot_be_swapped_is_published_with_a_warning(
    large: BuiltModel, caplog: pytest.LogCaptureFixture
) -> None:
    """Requests wait while it is replaced."""
    memory = read_manifest(large.artifact)["memory"]
    with caplog.at_level(logging.WARNING):
        check_memory(large.artifact, memory["swap"])
        assert not caplog.messages
        check_memory(large.artifact, memory["swap"] - 1)
    assert "drops the old model first" in caplog.text
    with pytest.raises(NotServable):
        check_memory(large.artifact, memory["load"] - 1)


def test_a_small_model_that_crashes_its_process_is_not_published(
    trained: WineModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is not measured, but another process loads it first."""
    monkeypatch.setenv("PYTHONPATH", without_audit(tmp_path))
    with pytest.raises(NotServable, match="exit code -11"):
        check_memory(replace_model(trained.built.artifact, tree(100_000)), 512)


def test_a_stored_model_that_crashes_its_process_is_not_rolled_back_to(
    trained: WineModel, mixed: BuiltModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever can write to the bucket may have stored it; without a key nothing tells."""
    registry = ModelRegistry(str(tmp_path / "store"))
    for artifact in (trained.built.artifact, mixed.artifact):
        registry.publish(artifact)
    path = tmp_path / "store" / load_model(trained.built.artifact).manifest.path
    path.write_bytes(replace_model(trained.built.artifact, tree(100_000)))
    monkeypatch.setenv("PYTHONPATH", without_audit(tmp_path))
    with pytest.raises(InvalidArtifact, match="exit code -11"):
        registry.rollback(trained.built.version)
    assert registry.live_version() == mixed.version


def test_the_default_memory_is_the_stages() -> None:
    """That of `.chalice/config.json`."""
    config = json.loads((APP / ".chalice" / "config.json").read_text())
    assert stage_memory("prod") == stage_memory("") == config["lambda_memory_size"]
