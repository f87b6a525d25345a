"""An artifact is a standard ONNX file that says all of itself and shows every changed byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import onnx
import pytest

from chalicelib.errors import InvalidArtifact
from chalicelib.models.artifact import FOOTER_BYTES, make_footer, read_footer, read_manifest
from chalicelib.models.model import load_model
from tests.support.artifacts import (
    add_class,
    change_label,
    change_probability,
    drop_classes,
    drop_feature,
    drop_golden_samples,
    fold_kind,
    rewrite_manifest,
    set_format,
    set_runtime,
)
from tests.support.models import Trained


def test_any_onnx_tool_reads_it(trained: Trained) -> None:
    """The file is valid ONNX, and its metadata hold the manifest."""
    model = onnx.load_from_string(trained.built.artifact)
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(metadata["wine-classifier.manifest"]) == read_manifest(trained.built.artifact)


@pytest.mark.parametrize("size", [0, 1_000, 3_000_000])
def test_the_seal_holds_the_sha_256_of_all_before_it(size: int) -> None:
    """Whatever computes it: small files and large ones are hashed by different code."""
    content = bytes(size)
    sealed = content + make_footer(content, 0, 0)
    assert read_footer(sealed).sha256 == hashlib.sha256(sealed[:-64]).hexdigest()


def test_the_manifest_holds_all_that_the_design_names(trained: Trained) -> None:
    """Recipe, signature, metrics, versions, golden samples."""
    manifest = read_manifest(trained.built.artifact)
    assert manifest.keys() == {
        "format",
        "name",
        "version",
        "created_at",
        "runtime",
        "signature",
        "metrics",
        "comparison",
        "attempts",
        "estimator",
        "libraries",
        "golden_samples",
    }
    assert manifest["signature"]["classes"] == ["0", "1", "2"]
    alcohol = manifest["signature"]["features"][0]
    assert alcohol == {
        "name": "alcohol",
        "kind": "numeric",
        "required": False,
        "min": 11.41,
        "max": 14.83,
        "median": 13.07,
        "example": 13.51,
    }
    assert "LogisticRegression" in manifest["estimator"]


def test_every_changed_byte_is_noticed(trained: Trained) -> None:
    """One flipped bit anywhere is an invalid artifact."""
    artifact = trained.built.artifact
    for place in range(0, len(artifact), 7):
        changed = bytearray(artifact)
        changed[place] ^= 1
        with pytest.raises(InvalidArtifact):
            read_manifest(bytes(changed))


@pytest.mark.parametrize("length", [0, 1, FOOTER_BYTES - 1, FOOTER_BYTES, 2000, -1])
def test_a_file_cut_short_is_noticed(trained: Trained, length: int) -> None:
    """Wherever the cut is."""
    with pytest.raises(InvalidArtifact):
        load_model(trained.built.artifact[:length])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_format, "format is 2"),
        (set_runtime, "abacus"),
        (drop_classes, "classes"),
        (drop_feature, "golden samples do not fit"),
        (add_class, "differ from scikit-learn"),
        (change_label, "differ from scikit-learn"),
        (change_probability, "differ from scikit-learn"),
        (drop_golden_samples, "no golden samples"),
        (fold_kind, "a feature of kind"),
    ],
)
def test_a_manifest_that_is_not_true_is_refused(
    trained: Trained, change: Callable[[dict[str, Any]], None], says: str
) -> None:
    """A seal proves that a file is whole, golden samples that it is right."""
    with pytest.raises(InvalidArtifact, match=says):
        load_model(rewrite_manifest(trained.built.artifact, change))


def test_an_onnx_file_of_somebody_else_is_refused(trained: Trained) -> None:
    """Valid ONNX, no manifest."""
    model = onnx.load_from_string(trained.built.artifact)
    del model.metadata_props[:]
    with pytest.raises(InvalidArtifact, match="no footer"):
        load_model(model.SerializeToString())


def test_a_sealed_file_that_is_no_onnx_is_refused(trained: Trained) -> None:
    """ONNX Runtime's own error is not let through."""
    written = json.dumps(read_manifest(trained.built.artifact)).encode()
    content = b"not a graph" + written
    with pytest.raises(InvalidArtifact, match="ONNX Runtime cannot load"):
        load_model(content + make_footer(content, len(b"not a graph"), len(written)))
