"""What the answer to a hostile request must be."""

from __future__ import annotations

import json

from tests.hostile_requests.request import CANARY, Request
from tests.support.app import Response
from tests.support.errors import is_error

# Generous for a busy machine; what it must catch is time that grows faster than the body.
SECONDS = 20


ANSWER_BYTES = 10_000


def assert_rejected(request: Request, answer: Response) -> None:
    """Check an answer for all that every error must be."""
    assert answer.status == request.status, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    if request.status == 200 or request.method == "HEAD":
        return
    assert is_error(answer.body)
    assert len(json.dumps(answer.body)) < ANSWER_BYTES
    assert CANARY not in json.dumps(answer.body)
    if request.at is not None:
        assert tuple(problem["at"] for problem in answer.body["problems"]) == request.at
