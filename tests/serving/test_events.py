"""Lambda events of any content."""

from __future__ import annotations

import json

import pytest

from tests.hostile_requests.events import EVENTS
from tests.support.app import App
from tests.support.errors import is_error


@pytest.mark.parametrize(("status", "event"), EVENTS)
def test_every_event_gets_a_response(
    app: App, status: int, event: object, capfd: pytest.CaptureFixture[str]
) -> None:
    """Errors have the one shape; the function never fails."""
    response = app.module.app(event, None)
    body = json.loads(response["body"])
    assert response["statusCode"] == status, body
    assert response["headers"]["Content-Type"] == "application/json"
    assert (body == {"prediction": "1"}) if status == 200 else is_error(body)
    assert "Traceback" not in "".join(capfd.readouterr())
