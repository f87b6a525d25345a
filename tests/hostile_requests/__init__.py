"""Requests that make no sense or mean harm: one list, for every way in to the app.

Those in `REQUESTS` can be sent through the Chalice test client, to `chalice local` and, as events,
to the function; those in `raw_http` only over a socket, those in `events` only to the function.
"""

from __future__ import annotations

from tests.hostile_requests import (
    addresses,
    headers,
    invocations,
    large,
    not_json,
    samples,
    tensors,
    values,
)

REQUESTS = [
    *not_json.REQUESTS,
    *values.REQUESTS,
    *samples.REQUESTS,
    *tensors.REQUESTS,
    *invocations.REQUESTS,
    *addresses.REQUESTS,
    *headers.REQUESTS,
    *large.REQUESTS,
]
