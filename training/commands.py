"""The commands of ``python -m training`` and what they print."""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
from contextlib import suppress
from pathlib import Path
from textwrap import shorten
from typing import Any

from tabulate import tabulate

from chalicelib.errors import ObjectNotFound
from chalicelib.settings import signing_key
from chalicelib.store.object_store import store_url
from training.artifact import BuiltModel, build_artifact
from training.data.files import load_estimator, read_data, select_features
from training.data.fitted_columns import make_table
from training.evaluation.cross_validation import cross_validate, cross_validated_accuracy
from training.evaluation.estimates import CONFIDENCE, Estimate, Predictions, describe_by_class
from training.evaluation.importance import measure_importance
from training.export.search import explain_fallback
from training.progress import progress
from training.registry import ModelRegistry, Version
from training.wine.dataset import split, wine
from training.wine.estimators import majority_class, tutorial_model, wine_pipeline

MODEL_NAME = "wine"
FOLDS = 10  # of the wine model's cross-validation
REPEATS = 10
REJECTION_WIDTH = 100  # characters


def run(options: argparse.Namespace) -> None:
    """Run the command in ``options.command``; `training.__main__` parses the options."""
    if options.command == "train":
        train(options.output, seed=options.seed)
        return
    url = store_url(options.store)
    registry = ModelRegistry(
        url, signing_key(os.environ, url, getattr(options, "stage", None) or "")
    )
    if options.command == "publish":
        artifact = _build(options) if options.model else options.artifact.read_bytes()
        publish(registry, artifact, dry_run=options.dry_run)
    elif options.command == "versions":
        print_versions(registry, limit=options.limit)
    elif options.command == "rollback":
        print(f"Live version: {registry.rollback(options.version)}")
    elif options.command == "show":
        manifest = registry.manifest(options.version or registry.live_version())
        print(json.dumps(manifest, indent=2))


def train(output: Path, *, seed: int) -> None:
    """Train the wine model, print its evaluation and write the artifact to a file."""
    dataset = wine()
    candidates = {
        "majority class": majority_class(),
        "tutorial model (alcohol only)": tutorial_model(),
        "wine model (all features)": wine_pipeline(),
    }
    classes = sorted(set(dataset.y.tolist()))
    accuracies = {
        name: cross_validated_accuracy(
            cross_validate(
                estimator,
                dataset.X,
                dataset.y,
                classes=classes,
                folds=FOLDS,
                repeats=REPEATS,
                seed=seed,
                progress=functools.partial(progress, description=name),
            ),
            folds=FOLDS,
        )
        for name, estimator in candidates.items()
    }
    parts = split(dataset, seed=seed)
    estimator = wine_pipeline().fit(parts.train.X, parts.train.y)
    predictions = Predictions.from_labels(
        parts.test.y, estimator.predict(parts.test.X), estimator.classes_.tolist()
    )
    method = "on held-out data"
    by_class = describe_by_class(predictions, estimator.classes_.tolist(), method)
    print_accuracies(accuracies)
    print_by_class(by_class)
    test_table = make_table(estimator, parts.test.X, dataset.feature_names)
    importances = measure_importance(estimator, test_table, parts.test.y, method)
    built = build_artifact(
        estimator,
        parts.train.X,
        parts.train.y,
        name=MODEL_NAME,
        feature_names=dataset.feature_names,
        metrics=_metrics(accuracies, by_class, importances, samples=len(dataset.y), seed=seed),
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(built.artifact)
    print_export(built)
    print(f"Wrote {output}: version {built.version}, {len(built.artifact):,} bytes")


def publish(registry: ModelRegistry, artifact: bytes, *, dry_run: bool) -> None:
    """Publish an artifact, or print what that would do."""
    if not dry_run:
        print(f"Published {registry.publish(artifact)}")
        return
    plan = registry.plan_publish(artifact)
    state = "new version" if plan.is_new else "existing version"
    print(f"Would publish {plan.url} ({state}). Live version: {plan.live or 'none'}")


def print_versions(registry: ModelRegistry, *, limit: int) -> None:
    """Print a table of the newest `limit` versions, or of all if it is 0."""
    versions = registry.versions()
    listed = list(itertools.islice(versions, limit or None))
    unlisted = sum(1 for _ in versions) if limit else 0
    live = None
    with suppress(ObjectNotFound):
        live = registry.live_version()
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


def print_accuracies(accuracies: dict[str, Estimate]) -> None:
    """Print a table of cross-validated accuracies."""
    print(f"Accuracy by {FOLDS}-fold stratified cross-validation, repeated {REPEATS} times\n")
    print(
        tabulate(
            [[name, *accuracy] for name, accuracy in accuracies.items()],
            headers=["", "accuracy", f"{CONFIDENCE:.0%} from", "to"],
            floatfmt=".3f",
        )
    )


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


def _build(options: argparse.Namespace) -> bytes:
    """Build an artifact from --model, --data and --target and print the export and the metrics."""
    estimator = load_estimator(options.model, trust_pickle=options.trust_pickle)
    X, y = read_data(options.data, options.target)
    X, feature_names = select_features(estimator, X, options.features)
    test = None
    if options.test_data:
        test_X, test_y = read_data(options.test_data, options.target)
        test = select_features(estimator, test_X, options.features)[0], test_y
    built = build_artifact(
        estimator,
        X,
        y,
        name=options.name or options.model.stem,
        feature_names=feature_names,
        test=test,
        cv=options.cv,
        runtime=options.runtime,
        private=options.private,
    )
    print_export(built)
    print_metrics(built.metrics)
    return built.artifact


def _metrics(
    accuracies: dict[str, Estimate],
    by_class: dict[str, Any],
    importances: dict[str, Any] | None,
    *,
    samples: int,
    seed: int,
) -> dict[str, Any]:
    majority, tutorial, model = accuracies.values()
    return {
        "accuracy": {
            **model._asdict(),
            "confidence": CONFIDENCE,
            "samples": samples,
            "method": f"by {FOLDS}-fold stratified cross-validation, {REPEATS} times, seed {seed}",
        },
        "baselines": {"majority_class": majority._asdict(), "tutorial": tutorial._asdict()},
        "by_class": by_class,
        "importances": importances,
    }


def _version_row(
    version: Version, manifest: dict[str, Any] | None, live: str | None
) -> list[object]:
    runtime, accuracy = (
        (manifest["runtime"], manifest["metrics"]["accuracy"]["estimate"])
        if manifest
        else ("unreadable", None)
    )
    return [
        "live" if version.version == live else "",
        version.version,
        version.published_at.strftime("%Y-%m-%d %H:%M:%S"),
        runtime,
        accuracy,
        version.size,
    ]
