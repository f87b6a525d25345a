"""Malformed and malicious requests: one list for every transport.

`REQUESTS` go through the Chalice test client, to `chalice local` and, as events, to the function.
`raw_http` is for sockets only, `events` for the function only.
"""

from __future__ import annotations

from tests.hostile_requests import (
    classify,
    headers,
    infer,
    invocations,
    large_bodies,
    not_json,
    routing,
    values,
)

REQUESTS = [
    *not_json.REQUESTS,
    *values.REQUESTS,
    *classify.REQUESTS,
    *infer.REQUESTS,
    *invocations.REQUESTS,
    *routing.REQUESTS,
    *headers.REQUESTS,
    *large_bodies.REQUESTS,
]
