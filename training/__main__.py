"""The command line: ``python -m training --help``."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from chalicelib.errors import ServingError
from training.errors import TrainingError

DEFAULT_ARTIFACT = Path("dist/wine.onnx")

REFUSED = 2  # the exit code of bad use, as argparse has it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process, if not given.

    Returns
    -------
    int
        The exit code: 0, or `REFUSED` after one line on standard error that says why.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "publish" and options.model and not (options.data and options.target):
        parser.error("publish --model needs --data and --target as well")
    if sys.stderr.isatty():  # somebody is waiting
        logging.basicConfig(level=logging.INFO, format="%(message)s")
    # Imported now, so that --help and a wrong option need not wait for scikit-learn.
    from training import commands

    try:
        commands.run(options)
    except (TrainingError, ServingError, OSError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return REFUSED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training", description="Train, publish and manage models."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train and evaluate the wine model")
    train.add_argument(
        "--output",
        type=Path,
        default=DEFAULT_ARTIFACT,
        metavar="FILE",
        help="where the model is written (default: %(default)s)",
    )
    train.add_argument(
        "--seed", type=int, default=0, help="of the split and the folds (default: %(default)s)"
    )

    publish = commands.add_parser("publish", help="write a model to a store and make it live")
    publish.add_argument(
        "artifact",
        type=Path,
        nargs="?",
        default=DEFAULT_ARTIFACT,
        metavar="FILE",
        help="what train wrote (default: %(default)s); or, instead, --model with --data",
    )
    publish.add_argument("--model", type=Path, metavar="FILE", help="a fitted estimator (.skops)")
    publish.add_argument("--data", type=Path, metavar="CSV", help="the data it was fitted on")
    publish.add_argument("--target", metavar="COLUMN", help="the column that holds the classes")
    publish.add_argument("--name", help="the model's name (default: that of its file)")
    publish.add_argument(
        "--runtime",
        choices=["onnx", "sklearn"],
        help="what must run it (default: ONNX if it is exact, else scikit-learn)",
    )
    publish.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load a .joblib or .pkl file, which runs whatever code is in it",
    )
    publish.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and write nothing"
    )
    _add_store(publish)

    versions = commands.add_parser("versions", help="list the versions in a store")
    versions.add_argument(
        "--limit",
        type=int,
        default=20,
        metavar="N",
        help="how many, the newest first; 0 for all (default: %(default)s)",
    )
    _add_store(versions)

    rollback = commands.add_parser("rollback", help="make an older version live again")
    rollback.add_argument(
        "version", nargs="?", help="which (default: the one before the one that is live)"
    )
    _add_store(rollback)

    show = commands.add_parser("show", help="print a version's manifest")
    show.add_argument("version", nargs="?", help="which (default: the one that is live)")
    _add_store(show)
    return parser


def _add_store(parser: argparse.ArgumentParser) -> None:
    default = os.environ.get("MODEL_URL")
    parser.add_argument(
        "--store",
        "--to",
        default=default,
        required=not default,
        metavar="URL",
        help="s3://bucket/prefix, file:///folder or a folder's path (default: $MODEL_URL)",
    )


if __name__ == "__main__":
    sys.exit(main())
