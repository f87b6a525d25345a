"""The command ``python -m training score``: fetch the model, score the table, print a summary."""

from __future__ import annotations

import argparse
import os
from contextlib import suppress

from chalicelib.errors import ObjectNotFound
from chalicelib.models.model import verify
from chalicelib.store.object_store import CURRENT, ObjectStore, store_url
from training.errors import CannotScore, MissingLibrary, UnknownVersion
from training.signing import signing_keys

TIMEOUT_SECONDS = 60.0  # of one call to the store
RETRIES = 2
ALL_COLUMNS = "all"
EXIT_REJECTED = 1  # some rows have no label
_EXTENSIONS = ("onnx", "skops")


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "score",
        help="Label the rows of a file",
        description="Label the rows of a file with a published model, on all cores. Run again "
        "after it was stopped, it goes on. Exit code 1 if some rows were rejected.",
    )
    parser.add_argument(
        "table", metavar="TABLE", help="file or s3:// URL: .csv, .jsonl, each also .gz, or .parquet"
    )
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="file or s3:// URL to write, of one of these"
    )
    parser.add_argument("--version", metavar="VERSION", help="version (default: the live one)")
    parser.add_argument(
        "--keep",
        metavar="NAMES",
        help="columns to pass through, with commas between them; all for all",
    )
    parser.add_argument(
        "--probabilities", action="store_true", help="write the probability of each class"
    )
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first row that cannot be scored"
    )
    parser.add_argument(
        "--restart", action="store_true", help="forget what a run that was stopped has finished"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    try:
        from training.scoring.run import Options, Run
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("pyarrow"):
            raise MissingLibrary("Scoring a file", "pyarrow") from error
        raise
    names = [name for name in (options.keep or "").split(",") if name]
    keep = None if options.keep == ALL_COLUMNS else names
    url = store_url(options.store)
    keys = signing_keys(os.environ, url, options.stage or "")
    run = Run(
        Options(options.table, options.out, keep, options.probabilities, options.strict),
        restart=options.restart,
    )
    try:
        artifact = fetch_artifact(url, options.version or run.version)
        manifest = verify(artifact, *keys)
        summary = run.score(artifact, keys, manifest)
    except KeyboardInterrupt:
        raise CannotScore("stopped; the same command goes on from here.") from None
    finally:
        run.close()
    print(f"Scored {summary.scored:,} rows with {manifest.name} {manifest.version}: {options.out}")
    for names, text in (
        (summary.ignored, "Columns that were not used"),
        (summary.absent, "Features without a column, missing in every row"),
    ):
        if names:
            print(f"{text}: {', '.join(names)}")
    if summary.rejected_file is None:
        return 0
    print(f"Rejected {summary.rejected:,} rows: {summary.rejected_file}")
    return EXIT_REJECTED


def fetch_artifact(url: str, version: str | None) -> bytes:
    """Return a version's artifact, or the live one; raise `UnknownVersion` if there is none."""
    store = ObjectStore(url, timeout_seconds=TIMEOUT_SECONDS, retries=RETRIES)
    if version is None:
        stored = store.fetch(CURRENT)
        assert stored is not None  # None only if an etag was passed
        return stored.data
    if version.isalnum():
        for extension in _EXTENSIONS:
            with suppress(ObjectNotFound):
                stored = store.fetch(f"versions/{version}.{extension}")
                assert stored is not None  # None only if an etag was passed
                return stored.data
    raise UnknownVersion(version, url)
