"""The health of a service: whether it has a model, and whether its store fails."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from chalice.app import Response

from chalicelib.errors import ModelUnavailable, StoreError
from chalicelib.rest.responses import health_response
from chalicelib.store.model_store import Health
from tests.support.fake_objects import FakeClock, FakeObjects, MakeStore
from tests.support.models import WineModel

TIMED_OUT = StoreError("timed out", "The request timed out.")


def parse(response: Response) -> dict[str, Any]:
    """Return the body of a response, without the time in it."""
    body: dict[str, Any] = json.loads(response.body)
    assert (body.pop("since") is None) is (body["reason"] is None)
    return body


def test_health_has_the_model_and_the_failure_of_the_store(
    make_store: MakeStore, objects: FakeObjects, clock: FakeClock, trained: WineModel
) -> None:
    """Without a model it is a 503 that says why; with one it is a 200, whether the store fails."""
    store = make_store(60)
    objects.error = TIMED_OUT
    response = health_response(store)
    assert (response.status_code, "Retry-After" in response.headers) == (503, True)
    assert parse(response) == {
        "error": "No model could be loaded: timed out.",
        "live": True,
        "ready": False,
        "degraded": True,
        "reason": "timed out",
        "version": None,
    }
    expected = {"live": True, "ready": True, "version": trained.built.version}
    for error, state in (
        (None, {"degraded": False, "reason": None}),
        (TIMED_OUT, {"degraded": True, "reason": "timed out"}),
        (None, {"degraded": False, "reason": None}),
    ):
        objects.error = error
        clock.now += 1_000
        response = health_response(store)
        assert (response.status_code, parse(response)) == (200, expected | state)


@pytest.mark.parametrize("reason", [None, "timed out"])
def test_a_store_that_recovers_meanwhile_has_a_reason_too(reason: str | None) -> None:
    """It failed to load a model, and then has neither a model nor a failure."""

    def fail() -> None:
        raise ModelUnavailable("timed out", 5)

    health = Health(None, "2026-11-27T12:00:00+00:00" if reason else None, cast(Any, reason))
    store = SimpleNamespace(current=fail, health=lambda: health)
    response = health_response(cast(Any, store))
    expected = f"No model could be loaded: {reason or 'internal error'}."
    assert (response.status_code, parse(response)["error"]) == (503, expected)
