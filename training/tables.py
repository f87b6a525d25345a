"""What the commands of ``python -m training`` print of models, as tables."""

from __future__ import annotations

import itertools
import sys
from textwrap import shorten
from typing import Any

from tabulate import tabulate

from chalicelib.errors import ObjectNotFound, ServingError
from training.artifact import BuiltModel
from training.evaluation.estimates import CONFIDENCE
from training.export.search import explain_fallback
from training.manifest import listed_accuracy
from training.registry import ModelRegistry
from training.versions import EXTENSIONS, Version

REJECTION_WIDTH = 100  # characters


def print_versions(registry: ModelRegistry, *, limit: int) -> None:
    """Print a table of the newest `limit` versions, or of all if it is 0."""
    versions = registry.versions()
    listed = list(itertools.islice(versions, limit or None))
    unlisted = sum(1 for _ in versions) if limit else 0
    live = _live_version(registry)
    print(
        tabulate(
            [
                _version_row(version, manifest, live)
                for version, manifest in zip(listed, registry.manifests(listed), strict=True)
            ],
            headers=["", "version", "published (UTC)", "runtime", "accuracy", "bytes"],
            floatfmt=".3f",
            disable_numparse=[1],
        )
    )
    if unlisted:
        print(f"{unlisted:,} older versions are not listed; --limit 0 lists all")


def print_history(registry: ModelRegistry, *, limit: int) -> None:
    """Print a table of the newest `limit` entries of the history, or of all if it is 0."""
    entries = registry.history(limit or None)
    live = _live_version(registry)
    newest_first = [entry.version for entry in entries]
    # What is newer than the live version did not go live: its publisher was killed.
    first = newest_first.index(live) if live in newest_first else 0
    print(
        tabulate(
            [
                [
                    "live" if index == first and entry.version == live else "",
                    entry.version,
                    entry.at.strftime("%Y-%m-%d %H:%M:%S"),
                    "did not go live" if index < first else entry.action or "unreadable",
                    entry.by or "",
                ]
                for index, entry in enumerate(entries)
            ],
            headers=["", "version", "live from (UTC)", "how", "by"],
            disable_numparse=True,
        )
    )


def _live_version(registry: ModelRegistry) -> str | None:
    """Return the live version, or None with a line on standard error if it cannot be read."""
    try:
        return registry.live_version()
    except ObjectNotFound:
        return None
    except ServingError as error:
        print(f"The live version is unknown: {error}", file=sys.stderr)
        return None


def print_export(built: BuiltModel) -> None:
    """Print the export strategies tried and the comparison with scikit-learn."""
    rows = [
        [attempt.strategy, shorten(attempt.rejection or "accepted", width=REJECTION_WIDTH)]
        for attempt in built.attempts
    ]
    comparison = built.comparison
    print()
    print(tabulate(rows, headers=["strategy", "result"]))
    print(
        f"\nCompared with scikit-learn on {comparison.rows:,} samples, "
        f"{comparison.table_rows:,} of the table's {comparison.table_size:,}: "
        f"{comparison.label_mismatches} labels differ, "
        f"largest probability difference {comparison.max_difference:.1e}"
    )
    if built.runtime == "sklearn":
        print(f"\n{explain_fallback(built.attempts)}")


def print_metrics(metrics: dict[str, Any]) -> None:
    """Print the accuracy, the baseline and the metrics by class of `training.evaluation`."""
    accuracy = metrics["accuracy"]
    baseline = metrics["baselines"]["majority_class"]
    print(f"\nAccuracy {format_estimate(accuracy)} {accuracy['method']}")
    print(f"The majority class alone: {format_estimate(baseline)}")
    print_by_class(metrics["by_class"])


def print_by_class(by_class: dict[str, Any]) -> None:
    """Print the confusion matrix, with the precision and recall of each class."""
    classes = by_class["classes"]
    print(f"\nBy class, {by_class['method']}; in brackets the {CONFIDENCE:.0%} interval\n")
    print(
        tabulate(
            [
                [
                    f"class {label}",
                    *counts,
                    format_estimate(by_class["per_class"][label]["precision"]),
                    format_estimate(by_class["per_class"][label]["recall"]),
                ]
                for label, counts in zip(classes, by_class["confusion_matrix"], strict=True)
            ],
            headers=["", *(f"predicted {label}" for label in classes), "precision", "recall"],
        )
    )


def format_estimate(estimate: dict[str, float] | None) -> str:
    """Return an estimate and its interval, such as ``0.98 (0.95 to 1.00)``."""
    if estimate is None:
        return "-"
    return f"{estimate['estimate']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def _version_row(
    version: Version, manifest: dict[str, Any] | None, live: str | None
) -> list[object]:
    runtime, accuracy = "unreadable", None
    if isinstance(manifest, dict) and manifest.get("runtime") in [*EXTENSIONS]:
        runtime, accuracy = manifest["runtime"], listed_accuracy(manifest)
    return [
        "live" if version.version == live else "",
        version.version,
        version.published_at.strftime("%Y-%m-%d %H:%M:%S"),
        runtime,
        accuracy,
        version.size,
    ]
