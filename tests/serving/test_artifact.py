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
from tests.conftest import Trained


def resealed(artifact: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Change an artifact's manifest and seal it again, as a publisher in error would."""
    manifest = read_manifest(artifact)
    written = json.dumps(manifest).encode()
    start = artifact.rindex(written)
    change(manifest)
    # Of the same length, as protobuf has it written before the text.
    rewritten = json.dumps(manifest, separators=(",", ":")).encode().ljust(len(written))
    content = artifact[:start] + rewritten + artifact[start + len(written) : -FOOTER_BYTES]
    return content + make_footer(content, start, len(rewritten))


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


def set_format(manifest: dict[str, Any]) -> None:
    """Claim a format of the future."""
    manifest["format"] = 2


def set_runtime(manifest: dict[str, Any]) -> None:
    """Claim a runtime that there is not."""
    manifest["runtime"] = "abacus"


def drop_classes(manifest: dict[str, Any]) -> None:
    """Leave out a field that serving needs."""
    del manifest["signature"]["classes"]


def drop_feature(manifest: dict[str, Any]) -> None:
    """Name a feature less than the graph takes."""
    manifest["signature"]["features"].pop()


def add_class(manifest: dict[str, Any]) -> None:
    """Name a class more than the graph gives."""
    manifest["signature"]["classes"].append("3")


def change_label(manifest: dict[str, Any]) -> None:
    """Record an answer that the model does not give."""
    manifest["golden_samples"]["labels"][0] = "2"


def change_probability(manifest: dict[str, Any]) -> None:
    """Record a probability that the model does not give."""
    manifest["golden_samples"]["probabilities"][0][0] -= 1e-4


def drop_golden_samples(manifest: dict[str, Any]) -> None:
    """Record nothing."""
    manifest["golden_samples"] = {"samples": [], "labels": [], "probabilities": []}


def fold_kind(manifest: dict[str, Any]) -> None:
    """Name a kind of feature that this code does not know."""
    manifest["signature"]["features"][0]["kind"] = "colour"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_format, "format is 2"),
        (set_runtime, "abacus"),
        (drop_classes, "classes"),
        (drop_feature, "golden samples do not fit"),
        (add_class, "does not answer"),
        (change_label, "does not answer"),
        (change_probability, "does not answer"),
        (drop_golden_samples, "no golden samples"),
        (fold_kind, "a feature of kind"),
    ],
)
def test_a_manifest_that_is_not_true_is_refused(
    trained: Trained, change: Callable[[dict[str, Any]], None], says: str
) -> None:
    """A seal proves that a file is whole, golden samples that it is right."""
    with pytest.raises(InvalidArtifact, match=says):
        load_model(resealed(trained.built.artifact, change))


def test_an_onnx_file_of_somebody_else_is_refused(trained: Trained) -> None:
    """Valid ONNX, no manifest."""
    model = onnx.load_from_string(trained.built.artifact)
    del model.metadata_props[:]
    with pytest.raises(InvalidArtifact, match="no seal"):
        load_model(model.SerializeToString())


def test_a_sealed_file_that_is_no_onnx_is_refused(trained: Trained) -> None:
    """ONNX Runtime's own error is not let through."""
    written = json.dumps(read_manifest(trained.built.artifact)).encode()
    content = b"not a graph" + written
    with pytest.raises(InvalidArtifact, match="ONNX Runtime cannot load"):
        load_model(content + make_footer(content, len(b"not a graph"), len(written)))
