"""Invalid values for a numeric feature, in requests that are otherwise valid."""

from __future__ import annotations

from tests.hostile_requests.request import CANARY, CLASSIFY, INFER, INVOCATIONS, ROUTES, Request

NOT_NUMBERS = [
    "9" * 5_000,
    "-" + "9" * 5_000,
    "9" * 1_000_000,
    "9" * 400,
    "1" + "0" * 309 + ".0",
    "1e999",
    "-1e999",
    "1.1e300",
    "1e" + "9" * 1_000,
    f'"{CANARY}"',
    r'"\ud800"',
    r'"\u0000"',
    '"' + "x" * 100_000 + '"',
    "true",
    "false",
    "{}",
    f'{{"a":"{CANARY}"}}',
    "[" * 50 + "]" * 50,
    "[1]",
    '"1"',
    '""',
    '"NaN"',
    '"1_0"',
    '"\u0661"',
]
NOT_JSON = ["NaN", "Infinity", "-Infinity"]


def body_with_value(path: str, value: str) -> bytes:
    """Return a request body for a route with a JSON value for the feature ash."""
    templates = {
        CLASSIFY: '{"data":{"ash":%s}}',
        INFER: '{"inputs":[{"name":"ash","shape":[1],"datatype":"FP64","data":[%s]}]}',
        INVOCATIONS: '{"inputs":[{"ash":%s}]}',
    }
    return (templates[path] % value).encode()


REQUESTS = [
    Request(status, path, body_with_value(path, value))
    for path in ROUTES
    for status, values in ((422, NOT_NUMBERS), (400, NOT_JSON))
    for value in values
]
