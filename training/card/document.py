"""A card as one HTML file, with its pictures inside."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from training.card.evidence import Evidence
from training.card.page import write_figure, write_page, write_table
from training.card.pictures import Picture

MAX_MISTAKES = 10


def write_document(
    manifest: dict[str, Any],
    pictures: Sequence[Picture],
    evidence: Evidence | None,
    *,
    show_rows: bool,
) -> str:
    """Return the card of a version.

    Parameters
    ----------
    manifest : dict
    pictures : sequence of Picture
    evidence : Evidence or None
        Without it, the card has what the manifest tells.
    show_rows : bool
        Whether the most confident mistakes are shown with their values, but for private features.
    """
    name, version = escape(manifest["name"]), escape(manifest["version"])
    parts = [
        f"<h1>{name}</h1>",
        f'<p class="quiet">Version {version}, made on {escape(manifest["created_at"][:10])}</p>',
        f"<p><code>{escape(manifest['estimator'])}</code></p>",
        *_accuracy(manifest.get("metrics") or {}),
        *(write_figure(picture) for picture in pictures),
    ]
    if evidence is not None:
        parts += _mistakes(evidence, manifest, show_rows=show_rows)
    parts += [*_by_class(manifest.get("metrics") or {}), *_features(manifest), *_proof(manifest)]
    return write_page(f"Model card: {name} {version}", parts)


def _accuracy(metrics: dict[str, Any]) -> list[str]:
    accuracy = metrics.get("accuracy")
    if not isinstance(accuracy, dict):
        return []
    rows = [["this model", *_estimate(accuracy)]]
    for baseline, estimate in (metrics.get("baselines") or {}).items():
        rows.append([baseline.replace("_", " "), *_estimate(estimate)])
    return [
        "<h2>How good it is</h2>",
        f"<p>Measured {escape(_method(accuracy))}.</p>",
        write_table(rows, ["", "accuracy", "95 % interval"]),
    ]


def _by_class(metrics: dict[str, Any]) -> list[str]:
    by_class = metrics.get("by_class")
    if not by_class:
        return []
    rows = [
        [name, values["samples"], *_estimate(values["precision"]), *_estimate(values["recall"])]
        for name, values in by_class["per_class"].items()
    ]
    headers = ["class", "samples", "precision", "95 % interval", "recall", "95 % interval"]
    return [
        "<h2>By class</h2>",
        f"<p>Measured {escape(_method(by_class))}.</p>",
        write_table(rows, headers),
    ]


def _mistakes(evidence: Evidence, manifest: dict[str, Any], *, show_rows: bool) -> list[str]:
    """List the wrong predictions that the model is most sure of."""
    labels, predicted = evidence.predictions
    wrong = np.flatnonzero(labels != predicted)
    heading = "<h2>The most confident mistakes</h2>"
    if not len(wrong):
        return [
            heading,
            f"<p>None: no sample was predicted wrongly, {escape(evidence.method)}.</p>",
        ]
    if evidence.probabilities is None:
        confidence = np.full(len(labels), np.nan)
    else:
        confidence = np.nan_to_num(evidence.probabilities).max(axis=1)
    first = wrong[np.argsort(-confidence[wrong], kind="stable")][:MAX_MISTAKES]
    names: list[str] = []
    columns: list[Any] = []
    if show_rows:
        for index, feature in enumerate(manifest["signature"]["features"]):
            if not feature.get("private"):
                names.append(feature["name"])
                columns.append(evidence.samples.column(index))
    rows = [
        [
            int(evidence.rows[row]),
            evidence.classes[labels[row]] if labels[row] >= 0 else "another class",
            evidence.classes[predicted[row]],
            "" if np.isnan(confidence[row]) else f"{confidence[row]:.1%}",
            *(column[row] for column in columns),
        ]
        for row in first
    ]
    return [
        heading,
        f"<p>{len(wrong):,} of {len(labels):,} samples are predicted wrongly, "
        f"{escape(evidence.method)}. Rows are counted from 0.</p>",
        write_table(rows, ["row", "class", "predicted", "probability", *names]),
    ]


def _features(manifest: dict[str, Any]) -> list[str]:
    rows = [
        [
            feature["name"],
            feature["kind"],
            "yes" if feature["required"] else "no",
            _range(feature),
        ]
        for feature in manifest["signature"]["features"]
    ]
    return [
        "<h2>Features</h2>",
        "<p>Ranges leave out what fewer than five samples share.</p>",
        write_table(rows, ["feature", "kind", "required", "values in training"]),
    ]


def _range(feature: dict[str, Any]) -> str:
    if feature.get("private"):
        return "private"
    if "categories" in feature:
        others = len(feature.get("unlisted_categories", ()))
        return f"{len(feature['categories']) + others:,} categories; no others are accepted"
    if "min" in feature:
        return f"{feature['min']:g} to {feature['max']:g}, median {feature['median']:g}"
    return ""


def _proof(manifest: dict[str, Any]) -> list[str]:
    comparison = manifest["comparison"]
    attempts = [[each["strategy"], each["rejection"] or "used"] for each in manifest["attempts"]]
    libraries = [[name, version] for name, version in manifest["libraries"].items()]
    return [
        "<h2>How it was exported and proved</h2>",
        f"<p>Its predictions for {comparison['rows']:,} samples, those of the data and others made "
        f"to differ, were compared with scikit-learn's: {comparison['label_mismatches']} labels "
        f"differ, probabilities by at most {comparison['max_difference']:.1e}. A server verifies "
        f"{len(manifest['golden_samples']['samples'])} predictions before it uses the model.</p>",
        write_table(attempts, ["export", "result"]),
        "<h2>Libraries</h2>",
        write_table(libraries, ["library", "version"]),
    ]


def _method(measured: dict[str, Any]) -> str:
    samples = measured.get("samples")
    count = f", {samples:,} samples" if isinstance(samples, int) else ""
    return f"{measured.get('method', 'in a way that was not stated')}{count}"


def _estimate(value: Any) -> list[str]:
    """Return an estimate and its interval as texts."""
    if not isinstance(value, dict) or "estimate" not in value:
        return ["", ""]
    has_interval = "low" in value and "high" in value
    interval = f"{value['low']:.1%} to {value['high']:.1%}" if has_interval else ""
    return [f"{value['estimate']:.1%}", interval]
