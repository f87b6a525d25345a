"""Requests without samples: the other routes, with hostile queries, headers, paths and bodies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.fuzz.bodies import MAX_HEADER_CHARACTERS, Request
from tests.fuzz.recipes import MAX_BODY_BYTES

NO_SAMPLES = "no samples"  # what they are called beside the routes of samples

PATHS = (
    *("/", "/model", "/openapi.json", "/health", "/ping", "/version"),
    *("/v2", "/v2/health/live", "/v2/health/ready"),
    *("/v2/models/{model_name}", "/v2/models/{model_name}/ready"),
    *("/classify", "/{part1}", "/{part1}/{part2}/{part3}/{part4}/{part5}/{part6}"),
)
METHODS = ("GET", "HEAD", "OPTIONS", "DELETE")
SIZES = (MAX_HEADER_CHARACTERS, 5_000)

_Query = dict[str, list[str]]

QUERIES: dict[str, Callable[[int], _Query]] = {
    "none": lambda _: {},
    "long value": lambda size: {"version": ["x" * size]},
    "long name": lambda size: {"x" * size: ["1"]},
    "many names": lambda size: {f"name{i}": ["1"] for i in range(size // 10)},
    "many values": lambda size: {"version": ["1"] * (size // 2)},
    "escapes": lambda size: {"version": ["%25" * (size // 3)]},
    "brackets": lambda size: {"[" * size: ["]" * size]},
}


def _repeat(name: str, text: str) -> Callable[[int], dict[str, str]]:
    return lambda size: {name: text * (size // len(text))}


HEADERS: dict[str, Callable[[int], dict[str, str]]] = {
    "none": lambda _: {},
    "many": lambda size: {f"X-Name-{i}": "1" for i in range(size // 12)},
    **{
        name: _repeat(name, text)
        for name, text in {
            "If-None-Match": '"etag", ',
            "If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT",
            "Accept": "text/html;q=0.1, ",
            "Accept-Encoding": "gzip;q=0, ",
            "Accept-Language": "en-GB;q=0.1, ",
            "Content-Type": "application/json;charset=utf-8;",
            "Content-Length": "9",
            "Cookie": "name=value; ",
            "Origin": "https://example.org:1/",
            "Access-Control-Request-Headers": "x-header, ",
            "Range": "bytes=0-1, ",
            "Forwarded": "for=1.2.3.4; ",
            "Host": "a.",
        }.items()
    },
}
BODIES = {
    "none": "",
    "letters": "x" * MAX_BODY_BYTES,
    "brackets": "[" * MAX_BODY_BYTES,
    "objects": "[" + "{}," * (MAX_BODY_BYTES // 3 - 2) + "{}]",
}


class BareRecipe(NamedTuple):
    """The parameters of a request without samples, each a key or a value of the constants above."""

    path: str
    method: str = "GET"
    query: str = "none"
    headers: str = "none"
    body: str = "none"
    size: int = MAX_HEADER_CHARACTERS  # of query and headers

    @property
    def route(self) -> str:
        """What the search groups it by."""
        return NO_SAMPLES


CHOICES: dict[str, Sequence[Any]] = {
    "path": PATHS,
    "method": METHODS,
    "query": list(QUERIES),
    "headers": list(HEADERS),
    "body": list(BODIES),
    "size": SIZES,
}


def first_bare_recipes() -> list[BareRecipe]:
    """Return a recipe for each path, with each query, each header and each body."""
    first = [
        BareRecipe(path)._replace(**{parameter: value})
        for path in PATHS
        for parameter in ("query", "headers", "body")
        for value in CHOICES[parameter]
    ]
    return list(dict.fromkeys(first))


def make_bare_request(recipe: BareRecipe) -> Request:
    """Return the request of a recipe; parts of a path that any text fits are long."""
    path = recipe.path
    for part in range(1, 7):
        path = path.replace(f"{{part{part}}}", "x" * (recipe.size // 6))
    return Request(
        recipe.path,
        HEADERS[recipe.headers](recipe.size),
        BODIES[recipe.body].encode(),
        method=recipe.method,
        path=path,
        query=QUERIES[recipe.query](recipe.size),
    )
