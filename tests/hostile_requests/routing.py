"""Unknown paths and models, and methods that a path does not allow."""

from __future__ import annotations

from tests.hostile_requests.request import CLASSIFY, INFER, INVOCATIONS, Request

GET_PATHS = [
    "/",
    "/health",
    "/ping",
    "/version",
    "/model",
    "/openapi.json",
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/wine",
    "/v2/models/wine/ready",
    "/v2/models/wine/versions/1",
]
POST_PATHS = [CLASSIFY, INVOCATIONS, INFER, "/v2/models/wine/versions/1/infer"]

UNKNOWN_PATHS = [
    "/clasify",
    "/Classify",
    "/CLASSIFY",
    "/classify/1",
    "/classify.json",
    "/classify%20",
    "/classify%00",
    "/classify%2F",
    "/classify;jsessionid=1",
    "/%63lassify",
    "/.",
    "/./classify",
    "/x/../classify",
    "/../../../../etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/%",
    "/%zz",
    "/%ff%fe",
    "/%u0041",
    "/{part1}",
    "/{model_name}",
    "/v2/models",
    "/v2/models/",
    "/v2/models/wine/infr",
    "/v2/models/wine/infer/infer",
    "/v2/models/wine/versions",
    "/v2/health",
    "/a/b/c/d/e/f",
    "/a/b/c/d/e/f/g",
    "/a" * 50,
    "/" + "a" * 10_000,
    "/" + "%41" * 3_000,
    "/favicon.ico",
    "/.env",
    "/.git/config",
    "/wp-login.php",
    "/index.php?page=http://example.org",
    "/nowhere?data=1",
    "/nowhere?" + "a=1&" * 2_000,
    "/classify'--",
    "/<script>alert(1)</script>",
    "/a:b",
    "/$metadata",
    "/~root",
    "/*",
]
UNKNOWN_MODEL_PATHS = [
    "/v2/models/beer",
    "/v2/models/WINE",
    "/v2/models/wine%00",
    "/v2/models/..%2fwine",
    "/v2/models/{model_name}",
    "/v2/models/" + "w" * 10_000,
    "/v2/models/%F0%9F%8D%B7",
    "/v2/models/beer/ready",
    "/v2/models/wine/versions/0",
    "/v2/models/wine/versions/0/ready",
    "/v2/models/wine/versions/-1",
    "/v2/models/wine/versions/%",
    "/v2/models/beer/versions/0",
]

REQUESTS = [
    *(
        Request(405, path, method=method)
        for path in GET_PATHS
        for method in ("POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "FOO", "get")
    ),
    *(
        Request(405, path, method=method)
        for path in POST_PATHS
        for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "FOO", "post")
    ),
    *(Request(404, path, method=method) for path in UNKNOWN_PATHS for method in ("GET", "POST")),
    *(
        Request(404, "/nowhere", method=method)
        for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "FOO")
    ),
    *(Request(404, path, method="GET") for path in UNKNOWN_MODEL_PATHS),
    Request(404, "/v2/models/beer/infer", b"{}"),
    Request(404, "/v2/models//infer", b"{}"),
    Request(404, "/v2/models/beer/infer", b"["),
    Request(404, "/v2/models/wine/versions/0/infer", b"{}"),
]
