"""`python -m training jobs` tells what became of files, from S3 alone."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.bulk import EventSource, Stack, make_function
from tests.support.models import WineModel
from training.__main__ import main
from training.jobs.listing import Jobs

TABLE = b"alcohol,proline\n" + b"14.1,1400\n12.2,text\n" * 500


def test_each_state_of_a_file_is_told_with_its_counts(
    stack: Stack, trained: WineModel, capsys: pytest.CaptureFixture[str]
) -> None:
    """Waiting, split, half scored, scored, failed, put again."""
    jobs = Jobs(stack.url)
    source = EventSource(stack, make_function(stack))
    stack.put("a/wines.csv", TABLE)
    job = jobs.find("a/wines.csv")
    assert job is not None
    assert (job.state, job.ranges, job.rows) == ("waiting", None, 0)
    [record] = source.receive()
    source.deliver(record)
    [job] = jobs.list()
    assert (job.state, job.done, job.rows) == ("scoring", 0, 0)
    assert job.ranges is not None
    assert job.ranges > 1
    records = source.receive()
    source.deliver(records[0])
    [job] = jobs.list()
    assert (job.state, job.done) == ("scoring", 1)
    assert 0 < job.rejected < job.rows < 1_000
    for record in records[1:]:
        source.deliver(record)
    [job] = jobs.list()
    assert job.state == "scored"
    assert (job.rows, job.rejected, job.version) == (1_000, 500, trained.built.version)
    stack.put("b.csv", b"a,b\n")
    source.run()
    assert {job.file: job.state for job in jobs.list()} == {
        "a/wines.csv": "scored",
        "b.csv": "failed",
    }
    assert main(["jobs", "--store", stack.url]) == 0
    printed = capsys.readouterr().out
    assert "a/wines.csv  scored" in printed
    assert "1,000" in printed
    assert main(["jobs", "--store", stack.url, "--limit", "1"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_watching_a_file_ends_when_it_is_scored(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Meanwhile it asks S3 again."""
    source = EventSource(stack, make_function(stack))
    stack.put("wines.csv", TABLE)
    waits = []

    def work(seconds: float) -> None:
        waits.append(seconds)
        for record in source.receive()[:3]:
            source.deliver(record)

    monkeypatch.setattr(time, "sleep", work)
    source.run()
    assert main(["jobs", "--store", stack.url, "--watch", "wines.csv"]) == 0
    assert "Scored 1,000 rows, of which 500 were rejected" in capsys.readouterr().out
    assert not waits
    stack.put("more.csv", TABLE[:40])
    assert main(["jobs", "--store", stack.url, "--watch", "more.csv"]) == 0
    assert waits


@pytest.mark.parametrize(
    ("name", "code", "text"), [("b.csv", 1, "mean 'alcohol'"), ("c.csv", 2, "no c")]
)
def test_watching_a_file_that_fails_or_is_not_there(
    stack: Stack, capsys: pytest.CaptureFixture[str], name: str, code: int, text: str
) -> None:
    """The reason is printed."""
    stack.put("b.csv", b"alcohl,proline\n1,2\n")
    EventSource(stack, make_function(stack)).run()
    options: list[Any] = ["--store", stack.url, "--watch", name]
    assert main(["jobs", *options]) == code
    assert text in capsys.readouterr().err


def test_a_stack_without_files_says_so(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """In a sentence."""
    assert main(["jobs", "--store", stack.url]) == 0
    assert capsys.readouterr().out == "No file is in the inbox or the outbox.\n"
