"""Artifacts with a changed manifest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chalicelib.models.artifact import FOOTER_BYTES, make_footer, read_manifest


def rewrite_manifest(artifact: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Change an artifact's manifest and seal it again, as a publisher in error would."""
    manifest = read_manifest(artifact)
    written = json.dumps(manifest).encode()
    start = artifact.rindex(written)
    change(manifest)
    # Of the same length, as protobuf has it written before the text.
    rewritten = json.dumps(manifest, separators=(",", ":")).encode().ljust(len(written))
    content = artifact[:start] + rewritten + artifact[start + len(written) : -FOOTER_BYTES]
    return content + make_footer(content, start, len(rewritten))


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
