"""A model that scikit-learn serves is a skops file, and a malicious one runs nothing."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.tree import DecisionTreeClassifier

from chalicelib.errors import InvalidArtifact
from chalicelib.models.artifact import make_footer, read_manifest
from chalicelib.models.model import load_model
from tests.support.artifacts import rewrite_manifest
from tests.support.models import WineModel
from training.artifact import _skops_artifact, build_artifact
from training.export.skops_export import add_members, write_skops
from training.registry import ModelRegistry


def build_skops_artifact(trained: WineModel) -> bytes:
    """Build the wine model's artifact for scikit-learn."""
    X, y, _ = trained.dataset
    return build_artifact(trained.estimator, X, y, name="wine", runtime="sklearn").artifact


def add_manifest(archive: bytes, manifest: dict[str, Any]) -> bytes:
    """Add a manifest and a footer to an archive, as anyone with write access can."""
    return _skops_artifact(archive, json.dumps(manifest))


def test_a_skops_artifact_is_a_skops_file(trained: WineModel, tmp_path: Path) -> None:
    """Skops loads it, and the manifest is a member of the archive."""
    X, y, _ = trained.dataset
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    built = build_artifact(tree, X, y, name="tree", runtime="sklearn")
    loaded = skops.io.loads(built.artifact, trusted=["sklearn.tree._tree.Tree"])
    np.testing.assert_array_equal(loaded.predict(X), tree.predict(X))
    path = tmp_path / "tree.skops"
    path.write_bytes(built.artifact)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("wine-classifier.manifest.json"))
    assert manifest == read_manifest(built.artifact)
    registry = ModelRegistry(str(tmp_path / "store"))
    assert registry.publish(built.artifact).endswith(f"{built.version}.skops")
    assert registry.rollback(built.version) == built.version


def test_rejects_a_model_of_another_version_of_scikit_learn(trained: WineModel) -> None:
    """The error names both versions."""

    def set_version(manifest: dict[str, Any]) -> None:
        manifest["libraries"]["scikit-learn"] = "0.1.0"

    with pytest.raises(InvalidArtifact, match=r"fitted with scikit-learn 0\.1\.0, .* has \d"):
        load_model(rewrite_manifest(build_skops_artifact(trained), set_version))


def test_without_scikit_learn_the_error_names_the_packaging_option(
    trained: WineModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RUNTIME=sklearn adds scikit-learn to the package."""
    artifact = build_skops_artifact(trained)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(InvalidArtifact, match="package it with RUNTIME=sklearn"):
        load_model(artifact)


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "subprocess.Popen", "x.Unknown"])
def test_rejects_a_type_that_is_not_trusted_before_it_runs(trained: WineModel, name: str) -> None:
    """Types are audited before any object is constructed."""
    module, _, class_name = name.rpartition(".")
    schema = {
        "__class__": class_name,
        "__module__": module,
        "__loader__": "FunctionNode",
        "__id__": 1,
        "content": {"module_path": module, "function": class_name},
        "protocol": 2,
        "_skops_version": skops.__version__,
    }
    forged = add_members(b"", {"schema.json": json.dumps(schema).encode()})
    manifest = read_manifest(build_skops_artifact(trained))
    with pytest.raises(InvalidArtifact, match="types that are not allowed"):
        load_model(add_manifest(forged, manifest))


@pytest.mark.parametrize("member", ["../../outside.npy", "/tmp/outside.npy", "..\\outside.npy"])
def test_a_member_with_a_path_outside_the_archive_writes_nothing(
    trained: WineModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    """Members are read in memory and never unpacked."""
    monkeypatch.chdir(tmp_path)
    archive = add_members(write_skops(trained.estimator), {member: b"outside"})
    manifest = read_manifest(build_skops_artifact(trained))
    load_model(add_manifest(archive, manifest))
    assert list(tmp_path.iterdir()) == []
    assert not Path("/tmp/outside.npy").exists()


@pytest.mark.parametrize("archive", [b"", b"PK\x05\x06" + b"\0" * 18, b"junk"])
def test_rejects_a_file_that_is_not_a_skops_archive(trained: WineModel, archive: bytes) -> None:
    """Any exception of skops becomes InvalidArtifact."""
    manifest = json.dumps(read_manifest(build_skops_artifact(trained)))
    content = archive + manifest.encode()
    with pytest.raises(InvalidArtifact, match="skops cannot load"):
        load_model(content + make_footer(content, len(archive), len(manifest)))
