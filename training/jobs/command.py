"""The command ``python -m training jobs``: list files, or watch one."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from chalicelib.bulk.outbox import OUTBOX
from training.errors import UnknownFile
from training.jobs.listing import Job, Jobs

POLL_SECONDS = 2.0
EXIT_FAILED = 1


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "jobs",
        help="List the files that a stack scores",
        description="List the files of a stack made with BULK=yes, with their state and counts; "
        "those that changed last first.",
    )
    parser.add_argument(
        "--watch",
        metavar="FILE",
        help="show the progress of a file, named as below the inbox, until it is scored; exit "
        "code 1 if it failed",
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    jobs = Jobs(options.store)
    if options.watch is None:
        _print_jobs(jobs.list(options.limit))
        return 0
    job = watch(jobs, options.watch)
    if job.state == "failed":
        print(f"{job.file} failed: {job.error}", file=sys.stderr)
        return EXIT_FAILED
    print(
        f"Scored {job.rows:,} rows, of which {job.rejected:,} were rejected, with {job.version}: "
        f"{jobs.url}/{OUTBOX}/{job.file}/"
    )
    return 0


def watch(jobs: Jobs, file: str) -> Job:
    """Wait until a file is scored or failed; on a terminal, show a bar meanwhile.

    Raises `UnknownFile` if it is neither in the inbox nor in the outbox.
    """
    from tqdm import tqdm

    bar: Any = tqdm(desc=file, unit="range", leave=False, disable=not sys.stderr.isatty())
    with bar:
        while True:
            job = jobs.find(file)
            if job is None:
                raise UnknownFile(file, jobs.url)
            bar.total, bar.n = job.ranges, job.done
            bar.set_postfix_str(f"{job.state}, {job.rows:,} rows, {job.rejected:,} rejected")
            if job.is_over:
                return job
            time.sleep(POLL_SECONDS)


def _print_jobs(jobs: list[Job]) -> None:
    from tabulate import tabulate

    if not jobs:
        print("No file is in the inbox or the outbox.")
        return
    rows = [
        [
            job.file,
            job.state,
            "" if job.ranges is None else f"{job.done:,}/{job.ranges:,}",
            f"{job.rows:,}",
            f"{job.rejected:,}",
            job.version or "",
            job.error or "",
        ]
        for job in jobs
    ]
    headers = ["file", "state", "ranges", "rows", "rejected", "version", "error"]
    alignment = ("left", "left", "right", "right", "right", "left", "left")
    print(tabulate(rows, headers, disable_numparse=True, colalign=alignment))
