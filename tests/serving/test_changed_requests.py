"""Valid requests with one value changed: never a 500."""

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


def problem_paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the path of every value in a document."""
    yield path
    if isinstance(document, dict):
        for name in document:
            yield from problem_paths(document[name], (*path, name))
    elif isinstance(document, list):
        for index in range(min(len(document), 3)):
            yield from problem_paths(document[index], (*path, index))


def changed(document: Any) -> Iterator[Any]:
    """Yield copies of a document with one value removed, doubled, or replaced by each of `ODD`."""
    yield from ODD
    for path in problem_paths(document):
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
    """Return the container of the value at a path."""
    for part in path[:-1]:
        document = document[part]
    return document


def assert_handled(app: App, path: str, good: Any) -> None:
    """Send every changed copy of a request and check the responses."""
    for document in changed(good):
        response = app.send("POST", path, json.dumps(document).encode())
        assert response.status in (200, 400, 413, 415, 422), document
        assert response.status == 200 or is_error(json.loads(response.body)), document


@pytest.mark.parametrize(("path", "good"), WINE_REQUESTS)
def test_a_changed_request_is_handled(app: App, path: str, good: Any) -> None:
    """The response has labels or problems, never a 500."""
    assert_handled(app, path, good)


@pytest.mark.parametrize(("path", "good"), MIXED_REQUESTS)
def test_a_changed_request_for_a_mixed_table_is_handled(
    mixed_app: App, path: str, good: Any
) -> None:
    """The response has labels or problems, never a 500."""
    assert_handled(mixed_app, path, good)
