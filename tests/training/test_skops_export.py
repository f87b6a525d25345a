"""A model that scikit-learn serves is a skops file, and a malicious one runs nothing."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from numpy.random import RandomState
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute._iterative import IterativeImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from chalicelib.errors import InvalidArtifact
from chalicelib.models.artifact import make_footer, read_manifest
from chalicelib.models.model import load_model
from chalicelib.runtimes.sklearn_classifier import find_untrusted
from tests.support.artifacts import rewrite_manifest
from tests.support.models import WineModel
from training.artifact import build_artifact
from training.export.skops_export import add_members, write_skops
from training.formats import write_skops_artifact
from training.registry import ModelRegistry


def build_skops_artifact(trained: WineModel) -> bytes:
    """Build the wine model's artifact for scikit-learn."""
    X, y, _ = trained.dataset
    return build_artifact(trained.estimator, X, y, name="wine", runtime="sklearn").artifact


def add_manifest(archive: bytes, manifest: dict[str, Any]) -> bytes:
    """Add a manifest and a footer to an archive, as anyone with write access can."""
    return write_skops_artifact(archive, json.dumps(manifest))


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


def served_by_scikit_learn() -> dict[str, tuple[Any, Any, Any]]:
    """Return estimators that hold private types of scikit-learn, each with its data."""
    random = np.random.default_rng(0)
    numbers = random.normal(size=(60, 3))
    y = np.arange(60) % 2
    gaps = np.where(random.random(numbers.shape) < 0.1, np.nan, numbers)
    codes = np.column_stack([random.integers(0, 3, 60), numbers[:, :2]]).astype(np.float64)
    texts = np.array(["red wine", "white wine", "red", "dry white"] * 15, dtype=np.object_)
    frame = pd.DataFrame(numbers, columns=["a", "b", "c"])
    selector = make_column_selector(dtype_include="number")
    transformer = make_column_transformer((StandardScaler(), selector))
    logistic, folds = LogisticRegression(), KFold(3, shuffle=True, random_state=RandomState(0))
    return {
        "partial": (HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]), codes, y),
        "csr_matrix": (make_pipeline(TfidfVectorizer(), SVC()), texts, y),
        "make_column_selector": (make_pipeline(transformer, logistic), frame, y),
        "KFold": (GridSearchCV(logistic, {"C": [1.0]}, cv=folds), numbers, y),
        "_ImputerTriplet": (make_pipeline(IterativeImputer(max_iter=1), logistic), gaps, y),
    }


@pytest.mark.parametrize("name", list(served_by_scikit_learn()))
def test_what_scikit_learn_itself_holds_is_allowed(name: str) -> None:
    """Each of these is data, or a function that only checks an array."""
    estimator, X, y = served_by_scikit_learn()[name]
    built = build_artifact(estimator.fit(X, y), X, y, name="model", runtime="sklearn")
    assert load_model(built.artifact).manifest.runtime == "sklearn"


def partial_of(function: dict[str, str], **disguise: str) -> bytes:
    """Return an archive with a partial object of a function."""
    node = {"__module__": "functools", "__class__": "partial", "__loader__": "PartialNode"}
    empty = {"__module__": "builtins", "__loader__": "JsonNode", "is_json": True}
    arguments = {
        "args": empty | {"__class__": "tuple", "__loader__": "TupleNode", "content": []},
        "kwds": empty
        | {
            "__class__": "dict",
            "__loader__": "DictNode",
            "content": {},
            "key_types": empty | {"__class__": "list", "__loader__": "ListNode", "content": []},
        },
        "namespace": empty | {"__class__": "str", "content": "null"},
    }
    schema = node | disguise | {"content": {"func": function, **arguments}, "protocol": 2}
    return add_members(b"", {"schema.json": json.dumps(schema).encode()})


CHECK_ARRAY = {
    "__module__": "sklearn.utils.validation",
    "__class__": "check_array",
    "__loader__": "FunctionNode",
}


def test_a_partial_object_is_allowed_of_check_array_alone() -> None:
    """It would call any other trusted function, or class, with arguments from the file."""
    assert find_untrusted(partial_of(CHECK_ARRAY)) == []
    mean = {"__module__": "numpy", "__class__": "mean", "__loader__": "FunctionNode"}
    for archive in (
        partial_of(mean),
        # skops makes a partial object of whatever class the node claims to be.
        partial_of(mean, __module__="numpy", __class__="dtype"),
        partial_of(CHECK_ARRAY | {"__loader__": "TypeNode"}),
    ):
        assert find_untrusted(archive) == ["functools.partial of another function"]


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
