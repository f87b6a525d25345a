"""The artifact: a standard ONNX file with a manifest and a footer that detects any change."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable
from importlib.metadata import version
from math import inf, nan
from typing import Any

import onnx
import pytest

from chalicelib.errors import InvalidArtifact
from chalicelib.models.artifact import (
    FOOTER_BYTES,
    make_footer,
    parse_manifest,
    read_footer,
    read_manifest,
)
from chalicelib.models.manifest import Manifest
from chalicelib.models.model import load_model
from tests.support.artifacts import (
    add_class,
    change_label,
    change_probability,
    drop_classes,
    drop_feature,
    drop_golden_samples,
    rewrite_manifest,
    set_format,
    set_runtime,
    set_unknown_kind,
)
from tests.support.models import WineModel

KEY = "correct-horse-battery"


def test_any_onnx_tool_reads_it(trained: WineModel) -> None:
    """The file is valid ONNX, with the manifest in its metadata."""
    model = onnx.load_from_string(trained.built.artifact)
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(metadata["wine-classifier.manifest"]) == read_manifest(trained.built.artifact)


@pytest.mark.parametrize("size", [0, 1_000, 3_000_000])
def test_the_footer_has_the_sha_256_of_everything_before_it(size: int) -> None:
    """Small and large files are hashed by different code."""
    content = bytes(size)
    artifact = content + make_footer(content, 0, 0)
    assert read_footer(artifact).sha256 == hashlib.sha256(artifact[:-64]).hexdigest()


def test_an_interpreter_without_its_private_sha_256_verifies_an_artifact(
    trained: WineModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL's hash is the same: what one accepts or rejects, so does the other."""
    monkeypatch.setitem(sys.modules, "_sha2", None)  # its import fails
    artifact = trained.built.artifact
    assert len(artifact) < 2_000_000  # the size from which on OpenSSL hashes in any case
    assert read_manifest(artifact)["name"] == "wine"
    with pytest.raises(InvalidArtifact) as caught:
        read_manifest(bytes([artifact[0] ^ 1]) + artifact[1:])
    assert caught.value.reason == "damaged"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b'"a"', b"null", b"3"])
def test_a_manifest_that_is_no_object_is_rejected(data: bytes) -> None:
    """Whatever the bytes are that a footer points at."""
    with pytest.raises(InvalidArtifact) as caught:
        parse_manifest(data)
    assert caught.value.reason == "unreadable manifest"
    assert parse_manifest(b"{}") == {}


@pytest.mark.parametrize(("runtime", "extension"), [("onnx", "onnx"), ("sklearn", "skops")])
def test_a_version_is_stored_under_the_name_of_its_format(
    trained: WineModel, runtime: str, extension: str
) -> None:
    """A server that has dropped it for another fetches it there."""
    document = read_manifest(trained.built.artifact) | {"runtime": runtime}
    manifest = Manifest.from_document(document)
    assert manifest.path == f"versions/{trained.built.version}.{extension}"


def test_the_manifest_describes_the_model_completely(trained: WineModel) -> None:
    """It has the recipe, signature, metrics, versions, golden samples and distribution."""
    manifest = read_manifest(trained.built.artifact)
    assert manifest.keys() == {
        "format",
        "name",
        "version",
        "created_at",
        "row_seconds",
        "runtime",
        "signature",
        "metrics",
        "comparison",
        "attempts",
        "estimator",
        "libraries",
        "golden_samples",
        "text_encoders",
        "distribution",
    }
    assert manifest["signature"]["classes"] == ["0", "1", "2"]
    alcohol = manifest["signature"]["features"][0]
    assert alcohol == {
        "name": "alcohol",
        "kind": "numeric",
        "required": False,
        "min": 11.6,
        "max": 14.4,
        "median": 13.1,
        "example": 13.1,
    }
    assert "LogisticRegression" in manifest["estimator"]


@pytest.mark.parametrize(
    ("created_at", "milliseconds"),
    [
        ("2026-01-02T03:04:05.678+00:00", 1767323045678),
        (None, None),
        (5, None),
        ([], None),
        ("yesterday", None),
        ("0001-01-01", None),  # the time zone may make it a year earlier
    ],
)
def test_the_time_of_a_model_is_optional(
    trained: WineModel, created_at: object, milliseconds: int | None
) -> None:
    """It is for the log alone, so an unclear one is no error."""
    document = read_manifest(trained.built.artifact) | {"created_at": created_at}
    assert Manifest.from_document(document).created_ms == milliseconds
    del document["created_at"]
    assert Manifest.from_document(document).created_ms is None


OTHER_PARTS: list[tuple[str, list[Any]]] = [
    ("row_values", [inf, nan, "x", None, []]),
    ("signature", [{}, None, [], "x"]),
    ("golden_samples", [{}, None, [], {"samples": [], "more": []}]),
    ("text_encoders", [None, 5]),
]


@pytest.mark.parametrize(("name", "values"), OTHER_PARTS)
def test_a_manifest_with_a_part_of_another_type_is_rejected(
    trained: WineModel, name: str, values: list[Any]
) -> None:
    """Whoever can write to the bucket may have written anything."""
    document = read_manifest(trained.built.artifact)
    Manifest.from_document(document)
    changed = [document | {name: value} for value in values]
    if name in document:
        changed.append({key: document[key] for key in document if key != name})
    for each in changed:
        with pytest.raises(InvalidArtifact, match="The manifest cannot be read"):
            Manifest.from_document(each)


def test_a_changed_byte_is_detected(trained: WineModel) -> None:
    """One flipped bit makes the artifact invalid."""
    artifact = trained.built.artifact
    for index in range(0, len(artifact), 7):
        changed = bytearray(artifact)
        changed[index] ^= 1
        with pytest.raises(InvalidArtifact):
            read_manifest(bytes(changed))


@pytest.mark.parametrize("length", [0, 1, FOOTER_BYTES - 1, FOOTER_BYTES, 2000, -1])
def test_a_truncated_file_is_detected(trained: WineModel, length: int) -> None:
    """Whatever its length."""
    with pytest.raises(InvalidArtifact):
        load_model(trained.built.artifact[:length])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_format, "format is 4"),
        (set_runtime, "abacus"),
        (drop_classes, "classes"),
        (drop_feature, "golden samples do not fit"),
        (add_class, "not those of a classifier"),
        (change_label, "differ from scikit-learn"),
        (change_probability, "differ from scikit-learn"),
        (drop_golden_samples, "no golden samples"),
        (set_unknown_kind, "unknown feature kind"),
    ],
)
def test_a_wrong_manifest_is_rejected(
    trained: WineModel, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    """The footer proves that a file is complete, the golden samples that it is right."""
    with pytest.raises(InvalidArtifact, match=message):
        load_model(rewrite_manifest(trained.built.artifact, change))


def test_wrong_predictions_name_the_library_that_computed_them(trained: WineModel) -> None:
    """ONNX Runtime 1.22.1 computes trees wrongly, so the version says whose fault it is."""
    artifact = rewrite_manifest(trained.built.artifact, change_label)
    with pytest.raises(InvalidArtifact, match=re.escape(f"ONNX Runtime {version('onnxruntime')}")):
        load_model(artifact)


def test_an_onnx_file_without_a_manifest_is_rejected(trained: WineModel) -> None:
    """Valid ONNX from another tool has no footer."""
    model = onnx.load_from_string(trained.built.artifact)
    del model.metadata_props[:]
    with pytest.raises(InvalidArtifact, match="no footer"):
        load_model(model.SerializeToString())


def test_an_artifact_that_is_not_onnx_is_rejected(trained: WineModel) -> None:
    """Neither without a key nor with one, with which the file is not audited."""
    manifest = json.dumps(read_manifest(trained.built.artifact)).encode()
    content = b"not a graph" + manifest
    for keys, message in (((), "ONNX file is not allowed"), ((KEY,), "ONNX Runtime cannot load")):
        footer = make_footer(content, len(b"not a graph"), len(manifest), *keys)
        with pytest.raises(InvalidArtifact, match=message):
            load_model(content + footer, *keys)
