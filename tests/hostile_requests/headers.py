"""Headers that describe the body wrongly, and unusual headers that are ignored."""

from __future__ import annotations

from tests.hostile_requests.request import CLASSIFY, CSV, INVOCATIONS, JSON, ROUTES, Request
from tests.hostile_requests.values import body_with_value

UNSUPPORTED_TYPES = [
    "",
    " ",
    ";",
    "json",
    "*/*",
    "application/*",
    "application/jsonx",
    "application/json5",
    "application/x-ndjson",
    "application/problem+json",
    "application/vnd.api+json",
    "application / json",
    "application/json, application/json",
    "application/json, text/plain",
    "text/plain, application/json",
    "text/plain;application/json",
    "text/html",
    "text/json",
    "application/xml",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/x-protobuf",
    "image/png",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/json; charset=utf-16-le",
    "application/json; charset=UTF-7",
    "application/json; charset=latin-1",
    "application/json; charset=",
    "application/json; charset",
    'application/json; charset="x"',
    "application/json; charset=utf-8; charset=utf-16",
    "application/json;charset=" + "x" * 5_000,
    "x" * 5_000,
]
CONTENT_CODINGS = ["gzip", "GZIP", "br", "deflate", "zstd", "x", "br, identity", "identity, gzip"]
JSON_TYPES = [
    "Application/JSON",
    "application/json;",
    " application/json ",
    "application/json;charset=utf-8",
    'application/json; charset="UTF-8"',
    "application/json; charset=utf8; version=1",
]
# Ignored by every route, or by the routes that respond in JSON only.
IGNORED_HEADERS = [
    ("Accept", ""),
    ("Accept", "text/html"),
    ("Accept", "image/png;q=0.9"),
    ("Accept", "application/json;q=x"),
    ("Accept", ";;,,;q=1"),
    ("Accept", "*/*;q=0"),
    ("Accept", "application/octet-stream"),
    ("Accept", "text/csv," * 5_000),
    ("Accept-Charset", "utf-16"),
    ("Accept-Encoding", "gzip;q=0, identity;q=0"),
    ("Authorization", "Basic eDp5"),
    ("Cookie", "a=" + "b" * 5_000),
    ("Content-Encoding", "identity"),
    ("Host", "evil.example"),
    ("If-Match", "x"),
    ("Origin", "null"),
    ("Range", "bytes=0-1"),
    ("X-Forwarded-For", "' OR 1=1 --"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X", "\xff\xfe"),
]

REQUESTS = [
    *(
        Request(415, path, body_with_value(path, "1"), (("Content-Type", media_type),))
        for path in ROUTES
        for media_type in UNSUPPORTED_TYPES
    ),
    *(
        Request(415, path, body_with_value(path, "1"), (*JSON, ("Content-Encoding", coding)))
        for path in ROUTES
        for coding in CONTENT_CODINGS
    ),
    *(
        Request(415, path, body_with_value(path, "1"), (*first, *second))
        for path in ROUTES
        for first, second in ((JSON, JSON), (JSON, CSV), ((("Content-Type", ""),), JSON))
    ),
    Request(415, CLASSIFY, b"ash\n1\n", CSV),
    Request(415, INVOCATIONS, b"ash\n1\n", (("Content-Type", "text/csv; charset=ascii"),)),
    Request(415, INVOCATIONS, b"ash\n1\n", (("Content-Type", "text/tab-separated-values"),)),
    Request(415, INVOCATIONS, b"ash\n1\n", (*CSV, ("Content-Encoding", "gzip"))),
    *(
        Request(200, path, body_with_value(path, "1"), (("Content-Type", media_type),))
        for path in ROUTES
        for media_type in JSON_TYPES
    ),
    *(
        Request(200, CLASSIFY, body_with_value(CLASSIFY, "1"), (*JSON, header))
        for header in IGNORED_HEADERS
    ),
    Request(200, CLASSIFY, body_with_value(CLASSIFY, "1"), ()),
    Request(200, f"{CLASSIFY}?data=2&probabilities=true", body_with_value(CLASSIFY, "1")),
    Request(200, f"{CLASSIFY}?" + "a=%ff&" * 1_000, body_with_value(CLASSIFY, "1")),
    Request(200, "/health", b"[", (("Content-Type", "image/png"),), "GET"),
]
