"""The command ``python -m training drift``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tabulate import tabulate

from training.card import require_matplotlib
from training.drift.comparison import Compared, compare
from training.drift.logs import Sum, add_up, read_file, read_log_group
from training.drift.table import HEADERS, by_index, describe_sum, row_of
from training.errors import DriftFound, NoDistribution, UnreadableLog
from training.registry import ModelRegistry

MAX_LISTED = 40  # features, those with the largest index


def run_drift(registry: ModelRegistry, options: argparse.Namespace) -> None:
    """Print how far the served rows in a log are from the training data; write a report.

    Raises
    ------
    UnreadableLog
        If there is no summary of the version in the log.
    NoDistribution
        If the version was published without a training distribution.
    DriftFound
        With ``--fail-on-drift``, if there is drift.
    """
    if options.out:
        require_matplotlib("A report")
    if options.logs:
        lines = read_file(options.logs)
    else:
        lines = read_log_group(options.log_group, options.since)
    sums = add_up(lines)
    if options.version:
        sums = {version: total for version, total in sums.items() if version == options.version}
    if not sums:
        version = f" of version {options.version}" if options.version else ""
        raise UnreadableLog(
            f"The log has no summary{version}: the server logs one after some requests, if DRIFT "
            "is on."
        )
    name = ""
    versions: dict[str, tuple[Sum, list[Compared]]] = {}
    for version, total in sums.items():
        manifest = registry.manifest(version)
        if not manifest.get("distribution"):
            raise NoDistribution(version)
        name = manifest["name"]
        versions[version] = total, compare(manifest, total.counts, total.worth)
        print_version(version, *versions[version])
    if options.out:
        write_file(options.out, name, versions)
    drifted = [
        version
        for version, (_, compared) in versions.items()
        if any(each.verdict == "drift" for each in compared)
    ]
    if drifted and options.fail_on_drift:
        raise DriftFound(drifted)


def print_version(version: str, total: Sum, compared: list[Compared]) -> None:
    """Print a table of the features and the predictions, those with the largest index first."""
    print(f"\nVersion {version}: {describe_sum(total)}\n")
    listed = by_index(compared)[:MAX_LISTED]
    print(tabulate([row_of(each) for each in listed], HEADERS, disable_numparse=True))
    if len(listed) < len(compared):
        print(f"{len(compared) - len(listed):,} more features are not listed; --out has them all")


def write_file(path: Path, name: str, versions: dict[str, tuple[Sum, list[Compared]]]) -> None:
    """Write the report and print its path."""
    from training.drift.report import write_report

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(write_report(name, versions), encoding="utf-8")
    print(f"\nWrote {path}")
