"""A file that takes longer to split than one function has time: several go on after each other."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.bulk.handler import HAND_ON_SECONDS, RESERVE_SECONDS
from tests.support.bulk import PLENTY, EventSource, Stack, make_function
from tests.support.models import WineModel

ROWS = 600


@pytest.fixture(scope="module")
def table(trained: WineModel) -> bytes:
    """Wines whose cells hold line ends, in quotes."""
    random_rows = random.Random(0).choices(trained.dataset.X.tolist(), k=ROWS)
    names = ",".join(trained.dataset.feature_names)
    rows = [",".join(f'"{value!r}\n"' for value in row) for row in random_rows]
    return "\n".join([names, *rows]).encode()


def running_out(calls: int) -> Callable[[], float]:
    """Return a clock on which only the time to hand on is left after some calls."""
    count = itertools.count()
    late = (HAND_ON_SECONDS + RESERVE_SECONDS) / 2 * 1000
    return lambda: PLENTY if next(count) < calls else late


class Killed(BaseException):
    """The function ends where it is, and writes nothing about it."""


def kill_after(calls: int) -> Callable[[], float]:
    """Return a clock that ends the function after some calls."""
    count = itertools.count()

    def remaining() -> float:
        if next(count) >= calls:
            raise Killed
        return PLENTY

    return remaining


def test_one_function_goes_on_after_another(stack: Stack, table: bytes) -> None:
    """The ranges are found by several, and each row is scored once, in order."""
    stack.put("wines.csv", table)
    EventSource(stack, make_function(stack)).run()
    expected = stack.lines("wines.csv")
    stack.put("again.csv", table)
    steps = []

    def invoke(event: Any) -> None:
        body = json.loads(event["Records"][0]["body"])
        steps.append(body.get("step"))
        make_function(stack, running_out(2))(event)

    EventSource(stack, invoke).run()
    found = {step for step in steps if step is not None}
    assert found == set(range(1, len(found) + 1))
    assert len(found) > 2
    assert stack.lines("again.csv") == expected
    assert len(expected) == ROWS
    success = stack.read_json("again.csv", "_SUCCESS")
    parts = [name for name in stack.names("again.csv") if name.startswith("part-")]
    assert (success["rows"], success["parts"]) == (ROWS, len(parts))


@pytest.mark.parametrize("seed", range(4))
def test_steps_come_twice_out_of_order_and_are_killed(
    stack: Stack, table: bytes, seed: int
) -> None:
    """No row is lost or doubled, whoever finds how many ranges, and whoever is killed when."""
    rng = random.Random(seed)
    stack.put("wines.csv", table)
    [record] = EventSource(stack, lambda _: None).receive()
    for _ in range(2):
        stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=record["body"])

    def invoke(event: Any) -> None:
        clock = running_out(rng.randint(0, 8))
        receives = int(event["Records"][0]["attributes"]["ApproximateReceiveCount"])
        if receives == 1 and rng.random() < 0.3:
            clock = kill_after(rng.randint(0, 3))
        try:
            make_function(stack, clock)(event)
        except Killed as error:
            raise RuntimeError from error

    source = EventSource(stack, invoke)
    source.run(rng, twice=0.3)
    assert source.failures > 0
    success = stack.read_json("wines.csv", "_SUCCESS")
    assert success["rows"] == ROWS
    assert len(stack.lines("wines.csv")) == ROWS
    assert "_FAILED" not in stack.names("wines.csv")


def test_steps_of_a_file_that_was_replaced_are_dropped(stack: Stack, table: bytes) -> None:
    """The message of the next one finds another run."""
    stack.put("wines.csv", table)
    source = EventSource(stack, make_function(stack, running_out(2)))
    [record] = source.receive()
    source.deliver(record)
    [following] = source.receive()
    assert json.loads(following["body"])["step"] == 1
    stack.put("wines.csv", table + b"\n")
    source.deliver(following)
    assert source.failures == 0
    bodies = [json.loads(record["body"]) for record in source.receive()]
    assert not [body for body in bodies if "range" in body or "step" in body]
