"""The commands of ``python -m training`` and what they print."""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tabulate import tabulate

from chalicelib.models.artifact import read_manifest
from chalicelib.store.object_store import store_url
from training.artifact import build_artifact
from training.card import require_matplotlib
from training.data.files import load_estimator, read_data, select_features
from training.data.fitted_columns import make_table
from training.disclosure import describe_estimator
from training.drift.command import run_drift
from training.errors import NoCard, NotServable
from training.evaluation.cross_validation import cross_validate, cross_validated_accuracy
from training.evaluation.estimates import CONFIDENCE, Estimate, Predictions, describe_by_class
from training.evaluation.importance import measure_importance
from training.measurement import warn_if_slow
from training.memory import check_memory, stage_memory
from training.progress import progress
from training.registry import ModelRegistry
from training.signing import signing_keys
from training.tables import (
    print_by_class,
    print_export,
    print_history,
    print_metrics,
    print_versions,
)
from training.wine.dataset import split, wine
from training.wine.estimators import majority_class, tutorial_model, wine_pipeline

if TYPE_CHECKING:
    from training.card.card import Card

DIST = Path("dist")
MODEL_NAME = "wine"
FOLDS = 10  # of the wine model's cross-validation
REPEATS = 10


def run(options: argparse.Namespace) -> None:
    """Run the command in ``options.command``; `training.__main__` parses the options."""
    if options.command == "train":
        train(options.output, seed=options.seed)
        return
    url = store_url(options.store)
    keys: tuple[str, ...] = ()
    if options.command in ("publish", "rollback"):
        keys = signing_keys(os.environ, url, options.stage or "")
    registry = ModelRegistry(url, *keys)
    if options.command == "publish":
        if options.model:
            publish_estimator(registry, options)
        else:
            publish(registry, options.artifact.read_bytes(), options)
    elif options.command == "versions":
        print_versions(registry, limit=options.limit)
    elif options.command == "history":
        print_history(registry, limit=options.limit)
    elif options.command == "rollback":
        print(f"Live version: {registry.rollback(options.version)}")
    elif options.command == "show":
        version = options.version or registry.live_version()
        if options.card:
            show_card(options.store, version, options.output)
        else:
            print(json.dumps(registry.manifest(version), indent=2))
    elif options.command == "card":
        version = options.version or registry.live_version()
        write_card_of(registry.manifest(version), options)
    elif options.command == "drift":
        run_drift(registry, options)


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
    test = parts.test.X, parts.test.y
    source = _Source(estimator, parts.train.X, parts.train.y, dataset.feature_names, test)
    card = _make_card(read_manifest(built.artifact), source, show_rows=False)
    _print_files(card, output.with_name(f"{output.stem}-card.html"))


def publish_estimator(registry: ModelRegistry, options: argparse.Namespace) -> None:
    """Publish the estimator in --model, print its export and metrics; with --card, a card too."""
    source = _read_source(options)
    built = build_artifact(
        source.estimator,
        source.X,
        source.y,
        name=options.name or options.model.stem,
        feature_names=source.feature_names,
        test=source.test,
        cv=options.cv,
        runtime=options.runtime,
        private=options.private,
    )
    print_export(built)
    print_metrics(built.metrics)
    card = None
    if options.card:  # before anything is written: it may fail
        card = _make_card(read_manifest(built.artifact), source, show_rows=False)
    publish(registry, built.artifact, options, is_loaded=True)
    if card is not None and not options.dry_run:
        from training.card.store import CardStore

        print(f"Card: {CardStore(options.store).put(built.version, card.html)}")


def write_card_of(manifest: dict[str, Any], options: argparse.Namespace) -> None:
    """Write the card of a version and its pictures to files; with --model, all of the pictures."""
    source = _read_source(options) if options.model else None
    if source is not None:
        _check_source(source, manifest)
    card = _make_card(manifest, source, show_rows=options.show_rows)
    default = DIST / f"{manifest['name']}-{manifest['version']}-card.html"
    _print_files(card, options.output or default)


def show_card(store: str, version: str, output: Path | None) -> None:
    """Fetch the card of a version from the store, and open it if a person asks on a terminal.

    Raises `NoCard` if it has none.
    """
    from training.card.store import CardStore

    html = CardStore(store).get(version)
    if html is None:
        raise NoCard(version)
    path = output or DIST / f"{version}-card.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html, encoding="utf-8")
    print(f"Wrote {path}")
    if output is None and sys.stdout.isatty():
        webbrowser.open(path.resolve().as_uri())


def _check_source(source: _Source, manifest: dict[str, Any]) -> None:
    """Raise `NotServable` if an estimator is not the one that was published."""
    classes = [str(label) for label in source.estimator.classes_.tolist()]
    if (describe_estimator(source.estimator), classes) != (
        manifest["estimator"],
        manifest["signature"]["classes"],
    ):
        raise NotServable(
            f"--model is not the estimator of version {manifest['version']}, which is "
            f"{manifest['estimator']}."
        )


def _print_files(card: Card, path: Path) -> None:
    from training.card.card import write_card

    for each in write_card(card, path):
        print(f"Wrote {each}")


def publish(
    registry: ModelRegistry,
    artifact: bytes,
    options: argparse.Namespace,
    *,
    is_loaded: bool = False,
) -> None:
    """Publish an artifact that fits the memory, or print what that would do."""
    check_memory(artifact, options.memory or stage_memory(options.stage or ""))
    warn_if_slow(artifact)
    if not options.dry_run:
        print(f"Published {registry.publish(artifact, is_loaded=is_loaded)}")
        return
    plan = registry.plan_publish(artifact, is_loaded=is_loaded)
    state = "new version" if plan.is_new else "existing version"
    print(f"Would publish {plan.url} ({state}). Live version: {plan.live or 'none'}")


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


class _Source(NamedTuple):
    """An estimator and its data, from the files that options name."""

    estimator: Any
    X: Any
    y: Any
    feature_names: list[str] | None
    test: tuple[Any, Any] | None


def _read_source(options: argparse.Namespace) -> _Source:
    """Read --model, --data with --target, and --test-data."""
    estimator = load_estimator(options.model, trust_pickle=options.trust_pickle)
    X, y = read_data(options.data, options.target)
    X, feature_names = select_features(estimator, X, options.features)
    test = None
    if options.test_data:
        test_X, test_y = read_data(options.test_data, options.target)
        test = select_features(estimator, test_X, options.features)[0], test_y
    return _Source(estimator, X, y, feature_names, test)


def _make_card(manifest: dict[str, Any], source: _Source | None, *, show_rows: bool) -> Card:
    require_matplotlib()
    from training.card.card import make_card
    from training.card.evidence import collect_evidence

    evidence = None
    if source is not None:
        evidence = collect_evidence(
            source.estimator,
            source.X,
            source.y,
            test=source.test,
            feature_names=source.feature_names,
        )
    return make_card(manifest, evidence, show_rows=show_rows)


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
