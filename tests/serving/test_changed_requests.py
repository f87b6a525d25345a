"""Good requests with one thing in them changed, in every place and in many ways: never a 500."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hostile_requests.request import CLASSIFY, INFER, INVOCATIONS
from tests.support.app import App
from tests.support.errors import is_error

ODD: list[Any] = [None, True, 0, -1, 1.5, 1e308, 10**400, "", "x", "1", "\0", "predict", "ash"]
ODD += [[], [[]], [None], [1], [[1]], {}, {"": 1}, {"name": 1}, {"ash": [1]}, [{}], [{"ash": 1}]]

WINES = [{"ash": 2.4, "hue": None}, {"ash": 2.2}]
ASH: dict[str, Any] = {"name": "ash", "shape": [2], "datatype": "FP64", "data": [2.4, 2.2]}
HUE = ASH | {"name": "hue", "shape": [2, 1], "data": [[1.0], [None]]}
MATRIX = ASH | {"name": "input", "shape": [1, 13], "data": [1.0] * 13}
FRAME = {"columns": ["ash", "hue"], "data": [[2.4, 1], [2.2, None]], "index": [5, 6]}
WINE_REQUESTS: list[tuple[str, Any]] = [
    (CLASSIFY, {"data": 1}),
    (CLASSIFY, {"data": ".10"}),
    (CLASSIFY, {"data": WINES[0], "probabilities": True}),
    (CLASSIFY, {"data": WINES, "probabilities": False}),
    (CLASSIFY, {"data": [1.0] * 13}),
    (CLASSIFY, {"data": [[1.0] * 13, WINES[0]]}),
    (INFER, {"inputs": [MATRIX]}),
    (INFER, {"inputs": [MATRIX | {"data": [[1.0] * 13]}]}),
    (
        INFER,
        {
            "id": "7",
            "parameters": {"x": 1},
            "inputs": [ASH | {"parameters": {"content_type": "np"}}, HUE],
            "outputs": [{"name": "predict", "parameters": {"binary_data": False}}],
        },
    ),
    (INFER, {"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "parameters": {}}]}),
    (INVOCATIONS, {"dataframe_split": FRAME}),
    (INVOCATIONS, {"dataframe_split": {"columns": list(range(13)), "data": [[1.0] * 13]}}),
    (INVOCATIONS, {"dataframe_records": WINES}),
    (INVOCATIONS, {"instances": WINES, "params": {}}),
    (INVOCATIONS, {"inputs": {"ash": [2.4, 2.2], "hue": [1, None]}}),
    (INVOCATIONS, WINES),
    (INVOCATIONS, [1.0] * 13),
]

SAMPLE = {"size": 0.1, "count": 1, "old": True, "colour": "red"}
COLUMNS: list[dict[str, Any]] = [
    {"name": name, "shape": [1], "datatype": datatype, "data": [SAMPLE[name]]}
    for name, datatype in {
        "size": "FP32",
        "count": "INT8",
        "old": "BOOL",
        "colour": "BYTES",
    }.items()
]
MIXED_REQUESTS: list[tuple[str, Any]] = [
    (CLASSIFY, {"data": SAMPLE}),
    (CLASSIFY, {"data": [list(SAMPLE.values())], "probabilities": True}),
    ("/v2/models/mixed/infer", {"inputs": COLUMNS}),
    (INVOCATIONS, {"inputs": {name: [value] for name, value in SAMPLE.items()}}),
    (INVOCATIONS, {"dataframe_split": {"columns": list(SAMPLE), "data": [[*SAMPLE.values()]]}}),
]


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of everything in a document."""
    yield path
    if isinstance(document, dict):
        for name in document:
            yield from places(document[name], (*path, name))
    elif isinstance(document, list):
        for index in range(min(len(document), 3)):
            yield from places(document[index], (*path, index))


def changed(document: Any) -> Iterator[Any]:
    """Give a document with each thing in it taken away, doubled, and made each of `ODD`."""
    yield from ODD
    for path in places(document):
        for odd in ODD if path else []:
            other = copy.deepcopy(document)
            holder(other, path)[path[-1]] = odd
            yield other
        if path:
            other = copy.deepcopy(document)
            del holder(other, path)[path[-1]]
            yield other
        other = copy.deepcopy(document)
        inside = holder(other, (*path, None))
        if isinstance(inside, list):
            inside.extend(inside)
            yield other
        elif isinstance(inside, dict):
            inside["x"] = 1
            yield other


def holder(document: Any, path: tuple[Any, ...]) -> Any:
    """Give what holds the last part of a path."""
    for part in path[:-1]:
        document = document[part]
    return document


def assert_answered(app: App, path: str, good: Any) -> None:
    """Send every change of a request."""
    for document in changed(good):
        answer = app.request("POST", path, json.dumps(document).encode())
        assert answer.status in (200, 400, 413, 415, 422), document
        assert answer.status == 200 or is_error(answer.body), document


@pytest.mark.parametrize(("path", "good"), WINE_REQUESTS)
def test_a_changed_request_is_answered(app: App, path: str, good: Any) -> None:
    """With labels or with what is wrong."""
    assert_answered(app, path, good)


@pytest.mark.parametrize(("path", "good"), MIXED_REQUESTS)
def test_a_changed_request_for_every_kind_is_answered(mixed_app: App, path: str, good: Any) -> None:
    """With labels or with what is wrong."""
    assert_answered(mixed_app, path, good)
