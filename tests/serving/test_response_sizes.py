"""The size of a response, which Lambda limits as it delivers it."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest
from chalice.app import Request, Response

from chalicelib.errors import BodyTooLarge
from chalicelib.rest.body import LAMBDA_PAYLOAD_BYTES
from chalicelib.rest.middleware import call_view
from chalicelib.rest.responses import bytes_response, lambda_response

MOST_BYTES = LAMBDA_PAYLOAD_BYTES // 4 * 3  # in base64, four characters hold three bytes


@pytest.mark.parametrize(("size", "is_too_large"), [(MOST_BYTES, False), (MOST_BYTES + 1, True)])
def test_bytes_are_delivered_up_to_the_limit_of_their_base64(size: int, is_too_large: bool) -> None:
    """It is a third longer than they are."""
    with pytest.raises(BodyTooLarge) if is_too_large else nullcontext():
        delivered = lambda_response(bytes_response(bytes(size), {}))
        assert len(delivered["body"]) == LAMBDA_PAYLOAD_BYTES


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("a" * (LAMBDA_PAYLOAD_BYTES - 2), 200),  # and two quotes
        ("a" * (LAMBDA_PAYLOAD_BYTES - 1), 413),
        ('"' * (LAMBDA_PAYLOAD_BYTES // 2 - 1), 200),
        ('"' * (LAMBDA_PAYLOAD_BYTES // 2), 413),
    ],
)
def test_text_is_delivered_up_to_the_limit_of_its_json(text: str, status: int) -> None:
    """Lambda escapes it as a JSON string."""
    view = SimpleNamespace(view_function=lambda: Response(text), view_args=[])
    request = SimpleNamespace(method="GET", uri_params=None)
    response = call_view(cast(Request, request), cast(Any, {"GET": view}))
    assert response.status_code == status
