"""Artifacts with a changed manifest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chalicelib.models.artifact import FOOTER_BYTES, make_footer, read_manifest
from chalicelib.models.manifest import FORMAT


def rewrite_manifest(artifact: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Change an artifact's manifest and make its footer again, as a faulty publisher would."""
    manifest = read_manifest(artifact)
    original = json.dumps(manifest).encode()
    start = artifact.rindex(original)
    change(manifest)
    # Keep the length, which protobuf stores before the text.
    changed = json.dumps(manifest, separators=(",", ":")).encode().ljust(len(original))
    content = artifact[:start] + changed + artifact[start + len(original) : -FOOTER_BYTES]
    return content + make_footer(content, start, len(changed))


def with_row_seconds(artifact: bytes, seconds: object) -> bytes:
    """Change what a model takes for a sample, as its publisher measured it; another version."""

    def change(manifest: dict[str, Any]) -> None:
        manifest |= {"row_seconds": seconds, "version": "0123456789ab"}

    return rewrite_manifest(artifact, change)


def set_format(manifest: dict[str, Any]) -> None:
    """Set a future format."""
    manifest["format"] = FORMAT + 1


def set_runtime(manifest: dict[str, Any]) -> None:
    """Set an unsupported runtime."""
    manifest["runtime"] = "abacus"


def drop_classes(manifest: dict[str, Any]) -> None:
    """Remove a required field."""
    del manifest["signature"]["classes"]


def drop_feature(manifest: dict[str, Any]) -> None:
    """Remove a feature that the graph needs."""
    manifest["signature"]["features"].pop()


def add_class(manifest: dict[str, Any]) -> None:
    """Add a class that the graph does not have."""
    manifest["signature"]["classes"].append("3")


def change_label(manifest: dict[str, Any]) -> None:
    """Change a golden label."""
    manifest["golden_samples"]["labels"][0] = "2"


def change_probability(manifest: dict[str, Any]) -> None:
    """Change a golden probability by more than the tolerance."""
    manifest["golden_samples"]["probabilities"][0][0] -= 1e-4


def drop_golden_samples(manifest: dict[str, Any]) -> None:
    """Remove the golden samples."""
    manifest["golden_samples"] = {"samples": [], "labels": [], "probabilities": []}


def set_unknown_kind(manifest: dict[str, Any]) -> None:
    """Set an unknown kind of feature."""
    manifest["signature"]["features"][0]["kind"] = "colour"
