"""The check of the responses to hostile requests."""

from __future__ import annotations

import json

from tests.hostile_requests.request import CANARY, Request
from tests.support.app import Response
from tests.support.errors import is_error

# Generous for a busy machine: the limit catches time that grows faster than the body.
MAX_SECONDS = 20
MAX_ERROR_BYTES = 10_000


def assert_rejected(request: Request, response: Response) -> None:
    """Check the status, and that an error is short, well-formed and repeats no values."""
    assert response.status == request.status, response.body
    assert response.headers["Content-Type"] == "application/json"
    if request.status == 200 or request.method == "HEAD":
        return
    assert is_error(response.body)
    assert len(json.dumps(response.body)) < MAX_ERROR_BYTES
    assert CANARY not in json.dumps(response.body)
    if request.at is not None:
        assert tuple(problem["at"] for problem in response.body["problems"]) == request.at
