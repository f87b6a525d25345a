"""The commands of ``python -m training`` and their options."""

from __future__ import annotations

import argparse
import os
from datetime import timedelta
from pathlib import Path

from training.jobs import command as jobs
from training.scoring import command as score

DEFAULT_ARTIFACT = Path("dist/wine.onnx")
MAX_AGE_DIGITS = 5


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train the wine model; publish, list and roll back models.",
    )
    commands = parser.add_subparsers(
        title="commands", dest="command", required=True, metavar="COMMAND"
    )

    train = commands.add_parser(
        "train",
        help="Train and evaluate the wine model",
        description="Train and evaluate the wine model and write it to a file for publish.",
    )
    train.add_argument(
        "--output",
        type=Path,
        default=DEFAULT_ARTIFACT,
        metavar="FILE",
        help="file to write (default: %(default)s)",
    )
    train.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="random seed of the split and the folds (default: %(default)s)",
    )

    publish = commands.add_parser(
        "publish",
        help="Publish a fitted estimator or an artifact",
        description="Publish a fitted estimator or an artifact, and make it the live version.",
    )
    publish.add_argument(
        "artifact",
        type=Path,
        nargs="?",
        default=DEFAULT_ARTIFACT,
        metavar="FILE",
        help="artifact written by train (default: %(default)s); ignored with --model",
    )
    estimator = publish.add_argument_group("publish a fitted estimator instead of an artifact")
    _add_estimator(estimator)
    estimator.add_argument(
        "--cv",
        type=int,
        default=5,
        metavar="FOLDS",
        help="without --test-data, folds of the cross-validation that measures the estimator "
        "(default: %(default)s); 0 measures it on --data",
    )
    estimator.add_argument(
        "--name", help="name of the model (default: the file name of --model, without suffix)"
    )
    estimator.add_argument(
        "--private",
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="columns of which the API tells the name and the kind alone: no range, categories or "
        "example",
    )
    estimator.add_argument(
        "--runtime",
        choices=["onnx", "sklearn"],
        help="runtime to export for (default: onnx if it predicts exactly what scikit-learn does, "
        "else sklearn)",
    )
    estimator.add_argument(
        "--card",
        action="store_true",
        help="write a model card with pictures beside the version; needs matplotlib",
    )
    publish.add_argument(
        "--dry-run",
        action="store_true",
        help="check everything and print what would be published, but write nothing",
    )
    publish.add_argument(
        "--verbose",
        action="store_true",
        help="show progress and, if the estimator cannot be published, all that was tried",
    )
    _add_store(publish)
    _add_stage(publish)
    publish.add_argument(
        "--memory",
        type=int,
        metavar="MB",
        help="memory of the function, which the model has to fit (default: the stage's in "
        ".chalice/config.json, or 512)",
    )

    versions = commands.add_parser(
        "versions",
        help="List the versions in a store",
        description="List the versions in a store, newest first.",
    )
    versions.add_argument(
        "--limit",
        type=_parse_count,
        default=20,
        metavar="N",
        help="number of versions to list; 0 lists all (default: %(default)s)",
    )
    _add_store(versions)

    history = commands.add_parser(
        "history",
        help="List what was live, and when",
        description="List what was live in a store, when, and who made it live; newest first.",
    )
    history.add_argument(
        "--limit",
        type=_parse_count,
        default=20,
        metavar="N",
        help="number of entries to list; 0 lists all (default: %(default)s)",
    )
    _add_store(history)

    rollback = commands.add_parser(
        "rollback",
        help="Make an older version live again",
        description="Make an older version live again and print which one is live.",
    )
    rollback.add_argument(
        "version",
        nargs="?",
        metavar="VERSION",
        help="version to make live (default: the one that was live before the live one)",
    )
    _add_store(rollback)
    _add_stage(rollback)

    show = commands.add_parser(
        "show",
        help="Print the manifest of a version",
        description="Print the manifest of a version as JSON.",
    )
    show.add_argument(
        "version", nargs="?", metavar="VERSION", help="version to print (default: the live one)"
    )
    show.add_argument(
        "--card",
        action="store_true",
        help="fetch the version's model card instead, and open it on a terminal",
    )
    show.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="file to write the card to (default: dist/VERSION-card.html)",
    )
    _add_store(show)

    card = commands.add_parser(
        "card",
        help="Write the model card of a version",
        description="Write the model card of a version: an HTML file, and its pictures. With the "
        "estimator and its data it has all pictures, else those that the manifest can tell.",
    )
    card.add_argument(
        "version", nargs="?", metavar="VERSION", help="version (default: the live one)"
    )
    card.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="HTML file to write (default: dist/NAME-VERSION-card.html)",
    )
    _add_estimator(card.add_argument_group("the estimator and its data"))
    card.add_argument(
        "--show-rows",
        action="store_true",
        help="show the values of the most confident mistakes, but of private features",
    )
    _add_store(card)

    _add_drift(commands)
    jobs_parser = jobs.add_parser(commands)
    jobs_parser.add_argument(
        "--limit",
        type=_parse_count,
        default=20,
        metavar="N",
        help="number of files to list; 0 lists all (default: %(default)s)",
    )
    _add_store(jobs_parser)

    score_parser = score.add_parser(commands)
    _add_store(score_parser)
    _add_stage(score_parser)
    return parser


def _add_drift(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    drift = commands.add_parser(
        "drift",
        help="Compare served rows with the training data",
        description="Compare the rows that were served, as the log counts them, with the training "
        "data of their version: the population stability index and the Jensen-Shannon distance of "
        "each feature and of the predictions.",
    )
    source = drift.add_mutually_exclusive_group(required=True)
    source.add_argument("--log-group", metavar="NAME", help="log group of CloudWatch")
    source.add_argument(
        "--logs",
        type=Path,
        metavar="FILE",
        help="file of log lines, as chalice local, aws logs tail or an export writes them; .gz too",
    )
    drift.add_argument(
        "--since",
        type=_parse_age,
        default="7d",
        metavar="AGE",
        help="age of the oldest lines of --log-group: 90m, 12h, 7d, 2w (default: %(default)s)",
    )
    drift.add_argument(
        "--version", metavar="VERSION", help="version to compare (default: each in the log)"
    )
    drift.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="HTML file to draw the distributions in; needs matplotlib",
    )
    drift.add_argument(
        "--fail-on-drift", action="store_true", help="exit with an error if there is drift"
    )
    _add_store(drift)


def _add_estimator(parser: argparse._ArgumentGroup) -> None:
    """Add the options that name a fitted estimator and its data."""
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="the estimator: .skops; with --trust-pickle also .joblib, .pkl or .pickle",
    )
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="its training data: CSV with a header"
    )
    parser.add_argument("--target", metavar="COLUMN", help="column of the data with the labels")
    parser.add_argument(
        "--features",
        nargs="+",
        metavar="COLUMN",
        help="columns of the data that the estimator takes, in its order (default: those that it "
        "was fitted on, by name; all if it was fitted without names)",
    )
    parser.add_argument(
        "--test-data",
        type=Path,
        metavar="FILE",
        help="data that the estimator was not fitted on, to measure it; as --data",
    )
    parser.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load --model from a pickle, which runs whatever code is in it",
    )
    parser.add_argument(
        "--sklearn",
        metavar="VERSION",
        help="version of scikit-learn that fitted --model (default: as the file says); another "
        "minor release than the installed one is run in an environment of its own, made by uv",
    )


def _parse_count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a count")
    return int(text)


def _parse_age(text: str) -> timedelta:
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    number, unit = text[:-1], units.get(text[-1:])
    if not number.isdecimal() or len(number) > MAX_AGE_DIGITS or unit is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not an age such as 90m, 12h, 7d or 2w")
    return timedelta(**{unit: int(number)})


def _add_store(parser: argparse.ArgumentParser) -> None:
    default = os.environ.get("MODEL_URL")
    parser.add_argument(
        "--store",
        "--to",
        default=default,
        required=not default,
        metavar="URL",
        help="model store: s3://bucket/prefix, file:///folder or a folder's path "
        "(default: $MODEL_URL)",
    )


def _add_stage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stage",
        default=os.environ.get("MODEL_STAGE"),
        help="stage that serves the model, for which alone a signature is valid "
        "(default: $MODEL_STAGE)",
    )
