"""Lambda events of any content."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.hostile_requests.events import EVENTS
from tests.support.app import App
from tests.support.emf import check_lines
from tests.support.errors import is_error
from training.registry import ModelRegistry


@pytest.mark.parametrize(("status", "event"), EVENTS)
def test_every_event_gets_a_response(
    start_app: Callable[..., App],
    wine_store: ModelRegistry,
    status: int,
    event: object,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Errors have the one shape; the function never fails, and logs each event once."""
    app = start_app(MODEL_URL=wine_store.url, LOG_LEVEL="info", METRICS="on")
    response = app.module.app(event, None)
    body = json.loads(response["body"])
    assert response["statusCode"] == status, body
    assert response["headers"]["Content-Type"] == "application/json"
    assert (body == {"prediction": "1"}) if status == 200 else is_error(body)
    output = "".join(capfd.readouterr())
    assert "Traceback" not in output
    [line] = check_lines(output)
    assert (line["status"], line["request_id"]) == (status, response["headers"]["X-Request-Id"])
