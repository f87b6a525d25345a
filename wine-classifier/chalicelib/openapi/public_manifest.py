"""The part of a manifest that anyone may read, which is all that the API tells about a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.models.manifest import Manifest

# The fields that only the server and the publisher use. Golden samples are training samples, and
# the distribution has their quantiles.
_INTERNAL_FIELDS = {"format", "golden_samples", "attempts", "text_encoders", "distribution"}

# What is told of a private feature.
_PRIVATE_FIELDS = ("name", "kind", "required", "private")


def public_manifest(manifest: Manifest) -> dict[str, Any]:
    """Return the manifest without internal fields; its name and version come first."""
    document = manifest.document
    public = {name: document[name] for name in document if name not in _INTERNAL_FIELDS}
    first = {name: public[name] for name in ("name", "version")}
    signature = document["signature"] | {"features": public_features(manifest)}
    return first | public | {"signature": signature}


def public_features(manifest: Manifest) -> list[dict[str, Any]]:
    """Return what is told of each feature, in the model's order."""
    return [_public_feature(feature) for feature in manifest.document["signature"]["features"]]


def lists_all_categories(feature: Mapping[str, Any]) -> bool:
    """Return whether the categories of a public feature are the only values that it takes."""
    return feature.get("unknown_categories") == "rejected" and "other_categories" not in feature


def _public_feature(feature: Mapping[str, Any]) -> dict[str, Any]:
    if feature.get("private"):
        return {name: feature[name] for name in _PRIVATE_FIELDS}
    public = {name: feature[name] for name in feature if name != "unlisted_categories"}
    return public | {"other_categories": True} if "unlisted_categories" in feature else public
