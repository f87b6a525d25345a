"""Files that cannot be scored, and what happens twice, late or not at all."""

from __future__ import annotations

import gzip
import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.bulk import handler
from chalicelib.bulk import outbox as outboxes
from chalicelib.bulk.outbox import Outbox, Plan, Split, now
from chalicelib.bulk.rows import Range
from chalicelib.store.object_store import ObjectStore
from tests.support.app import App
from tests.support.bulk import EventSource, Stack, make_function
from tests.support.models import WineModel
from training.artifact import BuiltModel

HEADER = (
    "alcohol,malic_acid,ash,alcalinity_of_ash,magnesium,total_phenols,flavanoids,"
    "nonflavanoid_phenols,proanthocyanins,color_intensity,hue,od280/od315_of_diluted_wines,proline"
)
WINE = "13.2,1.78,2.14,11.2,100,2.65,2.76,0.26,1.28,4.38,1.05,3.4,1050"
TABLE = "\n".join([HEADER, *[WINE] * 400]).encode()


@pytest.mark.parametrize(
    ("content", "same_as_request"),
    [
        (HEADER.replace("alcohol,", "alcohl,") + f"\n{WINE}\n", True),
        (HEADER.replace("alcohol,", "alcohl,") + f",id\n{WINE},1\n", False),
        (f"alcohol,{HEADER}\n1,{WINE}\n", True),
        ("a,b\n1,2\n", True),
        (HEADER + "\n", True),
        ('"alcohol"x\n1\n', False),
        ("", False),
        ("\n\n", False),
    ],
)
def test_a_file_that_is_no_table_of_the_model_fails_at_once(
    source: EventSource, stack: Stack, start_app: Any, content: str, same_as_request: bool
) -> None:
    """With the problems that a request of the same content gets."""
    stack.put("wines.csv", content.encode())
    source.run()
    assert set(stack.names("wines.csv")) <= {"_FAILED", "_plan.json"}
    failed = stack.read_json("wines.csv", "_FAILED")
    assert failed["error"].startswith(("The file", "header", "rows"))
    app: App = start_app(MODEL_URL=stack.url)
    headers = {"Content-Type": "text/csv"}
    response = app.request("POST", "/invocations", content.encode(), headers)
    assert response.status in (400, 422)
    if same_as_request:
        assert failed["problems"] == response.body["problems"][: len(failed["problems"])]
    assert source.failures == 0
    assert stack.count(stack.dead_letters) == 0


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("wines.xlsx", b"PK", "The name of a file must end in .csv"),
        ("wines.csv", "alcohol\n13é\n".encode("latin-1"), "The file is not UTF-8."),
        ("wines.csv", HEADER.encode("utf-16"), "The file is not UTF-8."),
        ("wines.csv", HEADER.encode() + b'\n"' + b"1,\n" * 100_000, "Is a quote left open?"),
        ("wines.csv.gz", b"no gzip", "The file is not gzip"),
        ("wines.csv.gz", gzip.compress(TABLE)[:-9], "cut short"),
        ("wines.jsonl", b"no json", "The file is not JSON"),
        ("wines.jsonl", b"5\n", "rows[0] must be a list or an object"),
        ("wines.jsonl", b'{"alcohl": 5}\n', "rows[0].alcohl is not a feature of this model"),
        ("wines.jsonl", b"[1]\n", "rows[0] has 1 values; the model takes 13"),
    ],
)
def test_a_file_that_cannot_be_read_fails_at_once(
    source: EventSource, stack: Stack, name: str, content: bytes, error: str
) -> None:
    """Trying again would change nothing."""
    stack.put(name, content)
    source.run()
    assert error in stack.read_json(name, "_FAILED")["error"]
    assert "_SUCCESS" not in stack.names(name)
    assert source.failures == 0


@pytest.mark.parametrize("name", ["a//b.csv", "../b.csv"])
def test_a_name_that_s3_clients_take_for_another_fails(
    source: EventSource, stack: Stack, name: str
) -> None:
    """Under a name that says which."""
    stack.put(name, TABLE)
    source.run()
    [folder] = {
        item["Key"].split("/")[2]
        for item in stack.s3.list_objects_v2(Bucket=stack.bucket, Prefix="wine/outbox/")["Contents"]
    }
    assert folder.startswith("_")
    assert "The name of a file" in stack.read_json(folder, "_FAILED")["error"]


def test_messages_that_name_no_file_of_the_inbox_do_nothing(
    source: EventSource, stack: Stack
) -> None:
    """The test that S3 sends, a folder, another bucket and another prefix."""
    stack.s3.put_object(Bucket=stack.bucket, Key="wine/inbox/folder/")
    for bucket, key in (("other", "wine/inbox/a.csv"), (stack.bucket, "wine/outbox/a.csv")):
        record = {"s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
        stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=json.dumps({"Records": [record]}))
    body = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})
    stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=body)
    source.run()
    assert source.failures == 0
    found = stack.s3.list_objects_v2(Bucket=stack.bucket, Prefix="wine/outbox/")
    assert found["KeyCount"] == 0


def test_a_file_keeps_the_version_that_was_live_when_it_was_split(
    stack: Stack, trained: WineModel, all_required: BuiltModel
) -> None:
    """Whatever is published meanwhile, and though S3 tells twice of the file."""
    stack.put("wines.csv", TABLE)
    [event] = [r["body"] for r in EventSource(stack, lambda _: None).receive()]
    stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=event)
    split = EventSource(stack, make_function(stack))
    [record] = split.receive()
    split.deliver(record)
    stack.registry.publish(all_required.artifact)
    stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=event)
    # Another process, as after the first one was stopped.
    EventSource(stack, make_function(stack)).run(random.Random(0), twice=0.5)
    success = stack.read_json("wines.csv", "_SUCCESS")
    assert success["version"] == trained.built.version
    assert (success["rows"], len(stack.lines("wines.csv"))) == (400, 400)


def test_a_file_that_is_put_again_is_scored_again(
    source: EventSource, stack: Stack, all_required: BuiltModel
) -> None:
    """With the version that is live then; nothing of the first run is left."""
    stack.put("wines.csv", TABLE)
    source.run()
    parts = set(stack.names("wines.csv"))
    stack.registry.publish(all_required.artifact)
    stack.put("wines.csv", TABLE[: len(TABLE) // 3].rpartition(b"\n")[0])
    source.run()
    success = stack.read_json("wines.csv", "_SUCCESS")
    assert success["version"] == all_required.version
    assert success["rows"] == len(stack.lines("wines.csv")) < 200
    assert set(stack.names("wines.csv")) < parts


def test_a_file_that_is_put_again_takes_back_what_was_said_of_it(
    source: EventSource, stack: Stack
) -> None:
    """`_FAILED`, when the second one is right; `_SUCCESS`, when it is not."""
    stack.put("wines.csv", b"a,b\n1,2\n")
    source.run()
    stack.put("wines.csv", TABLE)
    source.run()
    assert {"_FAILED", "_SUCCESS"} & set(stack.names("wines.csv")) == {"_SUCCESS"}
    stack.put("wines.csv", b"a,b\n1,2\n")
    source.run()
    assert {"_FAILED", "_SUCCESS"} & set(stack.names("wines.csv")) == {"_FAILED"}


def test_ranges_of_a_file_that_was_replaced_are_dropped(stack: Stack) -> None:
    """Those of its first version write nothing."""
    stack.put("wines.csv", TABLE)
    source = EventSource(stack, make_function(stack))
    [record] = source.receive()
    source.deliver(record)
    old = source.receive()
    stack.put("wines.csv", TABLE + b"\n" + WINE.encode())
    for record in old:
        source.deliver(record)
    assert not [name for name in stack.names("wines.csv") if name.startswith("part-")]
    source.run()
    assert source.failures == 0
    assert stack.read_json("wines.csv", "_SUCCESS")["rows"] == 401


def test_a_range_that_fails_three_times_is_a_dead_letter(stack: Stack, trained: WineModel) -> None:
    """And `_FAILED` says which and why; the other ranges are scored."""
    stack.put("wines.csv", TABLE)
    working = make_function(stack)

    def invoke(event: Any) -> None:
        if '"range": 3' in event["Records"][0]["body"]:
            make_function(stack, remaining_ms=lambda: 5_000)(event)
        working(event)

    source = EventSource(stack, invoke)
    source.run()
    assert source.failures == 4
    assert stack.count(stack.dead_letters) == 1
    failed = stack.read_json("wines.csv", "_FAILED")
    [item] = failed["ranges"]
    assert item["range"] == 3
    assert item["reasons"] == ["The function ran out of time."] * 3
    assert item["line"] > 100
    assert failed["version"] == trained.built.version
    parts = [name for name in stack.names("wines.csv") if name.startswith("part-")]
    assert "part-00003.csv" not in parts
    assert len(parts) == 4
    assert "_SUCCESS" not in stack.names("wines.csv")


def test_the_function_lets_a_failed_message_come_again_soon(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the dead letters: the visibility timeout of half an hour is for what was killed."""
    monkeypatch.setattr(handler, "RETRY_SECONDS", 0)
    stack.s3.delete_object(Bucket=stack.bucket, Key="wine/current")
    stack.put("wines.csv", TABLE)
    source = EventSource(stack, make_function(stack), returns=False)
    source.run()
    assert source.failures == 4
    assert stack.count(stack.dead_letters) == 1


def test_one_plan_is_claimed_whoever_comes_first(stack: Stack) -> None:
    """Messages of one file that are handled at once, with other versions live."""
    store = ObjectStore(stack.url, timeout_seconds=5)
    for run in ("first", "second"):
        plans = [Plan(run, f"version-{number}", "path", "") for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            claimed = set(pool.map(Outbox(store, "wines.csv").claim, plans))
        assert len(claimed) == 1
        assert claimed == {Outbox(store, "wines.csv").fetch_plan()}
        assert {plan.run for plan in claimed} == {run}


def test_a_dead_letter_that_is_sent_back_completes_the_file(stack: Stack) -> None:
    """As SQS's redrive does, once the cause is gone."""
    stack.put("wines.csv", TABLE)
    working = make_function(stack)

    def invoke(event: Any) -> None:
        if '"range": 0' in event["Records"][0]["body"]:
            make_function(stack, remaining_ms=lambda: 5_000)(event)
        working(event)

    EventSource(stack, invoke).run()
    assert "_FAILED" in stack.names("wines.csv")
    [letter] = stack.sqs.receive_message(QueueUrl=stack.dead_letters)["Messages"]
    stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=letter["Body"])
    EventSource(stack, working).run()
    assert {"_FAILED", "_SUCCESS"} & set(stack.names("wines.csv")) == {"_SUCCESS"}
    assert len(stack.lines("wines.csv")) == 400


def test_a_version_that_cannot_be_read_is_named(stack: Stack, trained: WineModel) -> None:
    """In `_FAILED`, of each try."""
    stack.put("wines.csv", TABLE)
    source = EventSource(stack, make_function(stack, BULK_RANGE_BYTES="1000000"))
    [record] = source.receive()
    source.deliver(record)
    key = f"wine/versions/{trained.built.version}.onnx"
    stack.s3.delete_object(Bucket=stack.bucket, Key=key)
    source.run()
    [item] = stack.read_json("wines.csv", "_FAILED")["ranges"]
    assert all(key in reason for reason in item["reasons"])


def test_a_file_without_a_live_model_fails_after_three_tries(stack: Stack) -> None:
    """Its message becomes a dead letter too."""
    stack.s3.delete_object(Bucket=stack.bucket, Key="wine/current")
    stack.put("wines.csv", TABLE)
    source = EventSource(stack, make_function(stack))
    source.run()
    assert source.failures == 4
    assert stack.count(stack.dead_letters) == 1
    failed = stack.read_json("wines.csv", "_FAILED")
    assert failed["error"] == "The file could not be split."
    assert len(failed["reasons"]) == 3
    assert all("wine/current" in reason for reason in failed["reasons"])


def test_the_last_range_is_found_among_more_than_a_page_of_markers(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listing the last ones tells whether to list all of them."""
    monkeypatch.setattr(outboxes, "_PAGE", 5)
    outbox = Outbox(ObjectStore(stack.url, timeout_seconds=5), "wines.csv")
    plan = outbox.claim(Plan("run", "version", "path", now()))
    split = Split("", 0, ["prediction"], [Range(0, 1, 1)] * 13)
    for number in (*range(7), *range(8, 12)):
        outbox.mark_done(plan.run, number, 10, 1)
    assert not outbox.finish(plan, split)  # the last one is missing
    outbox.mark_done(plan.run, 12, 10, 1)
    assert not outbox.finish(plan, split)  # one before the last page
    outbox.mark_done(plan.run, 7, 10, 1)
    assert outbox.finish(plan, split)
    success = stack.read_json("wines.csv", "_SUCCESS")
    assert (success["rows"], success["rejected"], success["parts"]) == (130, 13, 13)
