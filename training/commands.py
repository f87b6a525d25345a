"""What each command of ``python -m training`` does and prints."""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from textwrap import shorten
from typing import Any

from tabulate import tabulate
from tqdm import tqdm

from chalicelib.errors import ObjectNotFound
from chalicelib.settings import signing_key
from training.artifact import BuiltModel, build_artifact
from training.data.files import load_estimator, read_data, select_fitted_columns
from training.registry import ModelRegistry, Version
from training.wine.dataset import split, wine
from training.wine.estimators import majority_class, tutorial_model, wine_pipeline
from training.wine.evaluation import (
    CONFIDENCE,
    FOLDS,
    REPEATS,
    Accuracy,
    cross_validated_accuracy,
    holdout_metrics,
)

MODEL_NAME = "wine"
REASON_WIDTH = 100


def run(options: argparse.Namespace) -> None:
    """Run the command that was asked for.

    Parameters
    ----------
    options : argparse.Namespace
        ``command`` and its options, as `training.__main__` parses them.
    """
    if options.command == "train":
        train(options.output, seed=options.seed)
        return
    store = ModelRegistry(options.store, signing_key(os.environ))
    if options.command == "publish":
        artifact = _build(options) if options.model else options.artifact.read_bytes()
        publish(store, artifact, dry_run=options.dry_run)
    elif options.command == "versions":
        print_versions(store, limit=options.limit)
    elif options.command == "rollback":
        print(f"live: {store.rollback(options.version)}")
    elif options.command == "show":
        print(json.dumps(store.manifest(options.version or store.live_version()), indent=2))


def _build(options: argparse.Namespace) -> bytes:
    """Make an artifact of the estimator and the data that the options name."""
    estimator = load_estimator(options.model, trust_pickle=options.trust_pickle)
    X, y = read_data(options.data, options.target)
    X = select_fitted_columns(estimator, X)
    name = options.name or options.model.stem
    built = build_artifact(estimator, X, y, name=name, runtime=options.runtime)
    print_export(built)
    return built.artifact


def publish(store: ModelRegistry, artifact: bytes, *, dry_run: bool) -> None:
    """Publish an artifact, or say what that would do.

    Parameters
    ----------
    store : ModelRegistry
        Where to.
    artifact : bytes
        The artifact.
    dry_run : bool
        Whether nothing is written.
    """
    if not dry_run:
        print(f"published {store.publish(artifact)}")
        return
    plan = store.plan_publish(artifact)
    state = "a new version" if plan.is_new else "a version that is there already"
    print(f"would publish {plan.url}, {state}; live is {plan.live or 'none'}")


def train(output: Path, *, seed: int) -> BuiltModel:
    """Train the wine model, print its evaluation and write the file that can be published.

    Parameters
    ----------
    output : pathlib.Path
        Where the file is written.
    seed : int
        The same seed gives the same model.

    Returns
    -------
    BuiltModel
    """
    dataset = wine()
    candidates = {
        "majority class": majority_class(),
        "the tutorial's model (alcohol alone)": tutorial_model(),
        "this model (all features)": wine_pipeline(),
    }
    accuracies = {
        name: cross_validated_accuracy(
            estimator, dataset, seed=seed, progress=functools.partial(_progress, name)
        )
        for name, estimator in candidates.items()
    }
    parts = split(dataset, seed=seed)
    estimator = wine_pipeline().fit(parts.train.X, parts.train.y)
    holdout = holdout_metrics(estimator, parts.test)
    print_evaluation(accuracies, holdout)
    metrics = _metrics(accuracies, holdout, seed=seed)
    built = build_artifact(
        estimator,
        parts.train.X,
        parts.train.y,
        name=MODEL_NAME,
        feature_names=dataset.feature_names,
        metrics=metrics,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(built.artifact)
    print_export(built)
    print(f"{output}: version {built.version}, {len(built.artifact):,} bytes")
    return built


def print_export(built: BuiltModel) -> None:
    """Print what an estimator was exported to, and what was tried.

    Parameters
    ----------
    built : BuiltModel
        What was made of it.
    """
    print()
    print(
        tabulate(
            [
                [attempt.strategy, shorten(attempt.rejection or "taken", width=REASON_WIDTH)]
                for attempt in built.attempts
            ],
            headers=["tried", "outcome"],
        )
    )
    comparison = built.comparison
    print(
        f"\ncompared with scikit-learn on {comparison.rows:,} samples: "
        f"{comparison.label_mismatches} labels differ, "
        f"probabilities by at most {comparison.max_difference:.1e}"
    )


def _progress(name: str, folds: Iterable[Any]) -> Iterable[Any]:
    """Show a bar while the folds are gone through, if somebody is looking."""
    return tqdm(folds, name, leave=False, disable=None)


def _metrics(
    accuracies: dict[str, Accuracy], holdout: dict[str, Any], *, seed: int
) -> dict[str, Any]:
    majority, tutorial, ours = accuracies.values()
    return {
        "accuracy": {
            **ours._asdict(),
            "confidence": CONFIDENCE,
            "method": f"{FOLDS}-fold stratified cross-validation, {REPEATS} times, seed {seed}",
        },
        "baselines": {"majority_class": majority._asdict(), "tutorial": tutorial._asdict()},
        "holdout": holdout,
    }


def print_evaluation(accuracies: dict[str, Accuracy], holdout: dict[str, Any]) -> None:
    """Print how good the models are, and where the one that is published goes wrong.

    Parameters
    ----------
    accuracies : dict of str to Accuracy
        Of each model, by cross-validation.
    holdout : dict
        From `training.evaluation.holdout_metrics`.
    """
    print(f"Accuracy, {FOLDS}-fold stratified cross-validation, {REPEATS} times\n")
    print(
        tabulate(
            [[name, *accuracy] for name, accuracy in accuracies.items()],
            headers=["", "accuracy", f"{CONFIDENCE:.0%} from", "to"],
            floatfmt=".3f",
        )
    )
    print(f"\nOn {holdout['samples']} samples held out: accuracy {holdout['accuracy']:.3f}\n")
    classes = holdout["classes"]
    figures = holdout["per_class"][classes[0]].keys()
    print(
        tabulate(
            [
                [f"class {label}", *counts, *holdout["per_class"][label].values()]
                for label, counts in zip(classes, holdout["confusion_matrix"], strict=True)
            ],
            headers=["", *(f"as {label}" for label in classes), *figures],
            floatfmt=".3f",
        )
    )


def print_versions(store: ModelRegistry, *, limit: int) -> None:
    """Print what a store holds, the newest first.

    Parameters
    ----------
    store : ModelRegistry
        The store.
    limit : int
        How many versions at the most; 0 for all.
    """
    versions = store.versions()
    shown = list(itertools.islice(versions, limit or None))
    left_out = sum(1 for _ in versions) if limit else 0
    live = None
    with suppress(ObjectNotFound):
        live = store.live_version()
    print(
        tabulate(
            [
                _row(version, manifest, live)
                for version, manifest in zip(shown, store.manifests(shown), strict=True)
            ],
            headers=["", "version", "published (UTC)", "runtime", "accuracy", "bytes"],
            floatfmt=".3f",
            disable_numparse=[1],
        )
    )
    if left_out:
        print(f"and {left_out:,} older: --limit 0 lists them all")


def _row(version: Version, manifest: dict[str, Any] | None, live: str | None) -> list[object]:
    described = (
        [manifest["runtime"], manifest["metrics"]["accuracy"]["estimate"]]
        if manifest
        else ["unreadable", None]
    )
    return [
        "live" if version.version == live else "",
        version.version,
        version.published_at.strftime("%Y-%m-%d %H:%M:%S"),
        *described,
        version.size,
    ]
