"""Read the summaries of served rows from log lines, and add them up by version."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from training.errors import UnreadableLog

# CloudWatch finds the lines with this pattern.
FILTER_PATTERN = '{ $.event = "drift" }'
PAGE_EVENTS = 10_000  # at most

_EVENT = re.compile(r'"event":\s*"drift"')
_ESCAPED_EVENT = re.compile(r'"message":\s*("\{\\"event\\":\s*\\"drift\\"(?:[^"\\]|\\.)*")')


class Summary(NamedTuple):
    """A summary of the rows that one process served in a window of time.

    Parameters
    ----------
    version : str
    window : str
        Of the process and the window: a later summary of a window replaces the earlier ones.
    requests, rows, counted : int
        The requests, all of their rows, and those that were counted.
    worth : list of int
        The independent rows that the counts are worth, of each feature and of the predictions.
    counts : list of list of int
        The weight of the rows by bin, of each feature and of the predictions.
    """

    version: str
    window: str
    requests: int
    rows: int
    counted: int
    worth: list[int]
    counts: list[list[int]]


class Sum(NamedTuple):
    """Summaries of one version, added up; fields as of `Summary`."""

    windows: int
    requests: int
    rows: int
    counted: int
    worth: list[int]
    counts: list[list[int]]


def read_file(path: Path) -> Iterator[str]:
    """Yield the lines of a log file, which may be compressed with gzip."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", errors="replace") as lines:
            yield from lines
    except (OSError, EOFError) as error:
        raise UnreadableLog(f"{path} cannot be read: {error}") from error


def read_log_group(name: str, since: timedelta) -> Iterator[str]:
    """Yield the lines with summaries of a CloudWatch log group that are not older than an age."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    start = datetime.now(UTC) - since
    try:
        pages = (
            boto3.client("logs")
            .get_paginator("filter_log_events")
            .paginate(
                logGroupName=name,
                startTime=int(start.timestamp() * 1000),
                filterPattern=FILTER_PATTERN,
            )
        )
        for page in pages:
            for event in page["events"]:
                yield event["message"]
    except (BotoCoreError, ClientError) as error:
        raise UnreadableLog(f"The log group {name} cannot be read: {error}") from error


def add_up(lines: Iterable[str]) -> dict[str, Sum]:
    """Add up the summaries among log lines, by version; other lines are ignored.

    Raises
    ------
    UnreadableLog
        If a summary is cut off or of another shape than the others of its version.
    """
    latest: dict[tuple[str, str], Summary] = {}
    for line in lines:
        for summary in _read_line(line):
            key = summary.version, summary.window
            if key not in latest or latest[key].counted <= summary.counted:
                latest[key] = summary
    by_version: dict[str, list[Summary]] = {}
    for summary in latest.values():
        by_version.setdefault(summary.version, []).append(summary)
    return {version: _add(summaries) for version, summaries in by_version.items()}


def _read_line(line: str) -> Iterator[Summary]:
    """Yield the summaries of a line: as logged, after a time and a stream, or as text in JSON."""
    if _EVENT.search(line):
        yield _parse(line[line.index("{") : line.rindex("}") + 1] if "}" in line else "")
    else:
        for match in _ESCAPED_EVENT.finditer(line):
            yield _parse(json.loads(match[1]))


def _parse(text: str) -> Summary:
    try:
        document: dict[str, Any] = json.loads(text)
        counts = [
            [int(count or 0) for count in bins.split(",")] if bins else []
            for bins in document["counts"].split(";")
        ]
        worth = [int(rows) for rows in document["worth"]]
        return Summary(
            str(document["version"]),
            str(document["window"]),
            int(document["requests"]),
            int(document["rows"]),
            int(document["counted"]),
            worth * len(counts) if len(worth) == 1 else worth,
            counts,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableLog(f"A summary in the log cannot be read: {error!r}") from error


def _add(summaries: list[Summary]) -> Sum:
    first = summaries[0]
    shape = [len(bins) for bins in first.counts]
    for summary in summaries:
        if [len(bins) for bins in summary.counts] != shape or len(summary.worth) != len(shape):
            raise UnreadableLog(f"Summaries of version {first.version} differ in shape.")
    counts = [
        [sum(column) for column in zip(*bins, strict=True)]
        for bins in zip(*(summary.counts for summary in summaries), strict=True)
    ]
    return Sum(
        len(summaries),
        sum(summary.requests for summary in summaries),
        sum(summary.rows for summary in summaries),
        sum(summary.counted for summary in summaries),
        [_add_worth(summaries, index, sum(bins)) for index, bins in enumerate(counts)],
        counts,
    )


def _add_worth(summaries: list[Summary], index: int, weight: int) -> int:
    """Return the independent rows that the sum is worth: variances of weights add up."""
    squares = sum(
        sum(summary.counts[index]) ** 2 / summary.worth[index]
        for summary in summaries
        if summary.worth[index]
    )
    return round(weight**2 / squares) if squares else 0
