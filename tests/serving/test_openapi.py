"""`GET /model` and `GET /openapi.json`: what the service says of itself is so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from tests.support.app import App
from tests.support.models import Trained
from training.artifact import BuiltModel
from training.registry import ModelRegistry

METHODS = {"get", "post"}


@pytest.fixture
def needy_app(start_app: Callable[..., App], needy: BuiltModel, tmp_path: Path) -> App:
    """The app, serving a model that can do without no feature."""
    store = ModelRegistry(str(tmp_path / "needy"))
    store.publish(needy.artifact)
    return start_app(MODEL_URL=store.url)


@pytest.fixture(params=["app", "mixed_app", "needy_app"])
def any_app(request: pytest.FixtureRequest) -> App:
    """The app, serving each of three models."""
    app: App = request.getfixturevalue(request.param)
    return app


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give the path, the method and the description of each operation."""
    for path, item in document["paths"].items():
        for parameter in item.get("parameters", []):
            path = path.replace(f"{{{parameter['name']}}}", parameter["schema"]["enum"][0])
        for method in METHODS & item.keys():
            yield path, method, item[method]


def matches(document: dict[str, Any], schema: dict[str, Any], value: object) -> bool:
    """Tell whether a value is what a schema in the document describes."""
    validator = OAS31Validator({**schema, "components": document["components"]})
    return bool(validator.is_valid(value))


def test_the_model_is_described_for_a_reader(app: App, trained: Trained) -> None:
    """Its name first, its features and metrics, and no samples."""
    body = app.request("GET", "/model").body
    assert list(body)[:2] == ["name", "version"]
    assert (body["name"], body["version"]) == ("wine", trained.built.version)
    assert body["signature"]["features"][0]["name"] == "alcohol"
    assert body.keys() >= {"metrics", "estimator", "libraries", "created_at"}
    assert not body.keys() & {"golden_samples", "attempts", "format"}


def test_the_document_is_openapi_3_1(any_app: App) -> None:
    """As openapi-spec-validator finds."""
    validate(any_app.request("GET", "/openapi.json").body, cls=OpenAPIV31SpecValidator)


def test_every_route_is_described(app: App) -> None:
    """And nothing else; the routes of unknown paths are none."""
    served = {
        (path, method.lower())
        for path, methods in app.module.app.routes.items()
        for method in methods
        if "part1" not in path and path != "/" and method != "OPTIONS"
    }
    paths = app.request("GET", "/openapi.json").body["paths"]
    assert {(path, m) for path, item in paths.items() for m in METHODS & item.keys()} == served


def test_every_example_works_when_it_is_sent(any_app: App) -> None:
    """And is what its schema says, as is the answer."""
    document = any_app.request("GET", "/openapi.json").body
    sent = 0
    for path, method, operation in operations(document):
        answer_schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        bodies: dict[str, Any] = operation.get("requestBody", {}).get("content", {"": {}})
        for media_type, body in bodies.items():
            for example in body.get("examples", {"": {"value": ""}}).values():
                value = example["value"]
                encoded = value if isinstance(value, str) else json.dumps(value)
                headers = {"Content-Type": media_type} if media_type else {}
                answer = any_app.request(method.upper(), path, encoded.encode(), headers)
                assert answer.status == 200, (path, value, answer.body)
                assert matches(document, answer_schema, answer.body), path
                assert not media_type or matches(document, body["schema"], value), (path, value)
                sent += 1
    assert sent > 20


def test_every_error_is_as_it_is_described(app: App) -> None:
    """For each route that reads a body: malformed, another type, not what the model takes."""
    document = app.request("GET", "/openapi.json").body
    requests = {
        400: (b"[", "application/json"),
        415: (b"[]", "text/html"),
        422: (b"{}", "application/json"),
        413: (b" " * (6 * 1024 * 1024 + 1), "application/json"),
    }
    for path, method, operation in operations(document):
        if method == "post":
            for status, (body, media_type) in requests.items():
                answer = app.request("POST", path, body, {"Content-Type": media_type})
                assert answer.status == status, path
                assert str(status) in operation["responses"]
                error = {"$ref": "#/components/schemas/Error"}
                assert matches(document, error, answer.body), path


def test_optional_numbers_are_described_with_their_range(app: App) -> None:
    """As a note: a value outside of it is taken too."""
    sample = app.request("GET", "/openapi.json").body["components"]["schemas"]["Sample"]
    assert sample["properties"]["alcohol"]["type"] == ["number", "null"]
    assert sample["properties"]["alcohol"]["x-range"]["min"] > 10
    assert (sample["required"], sample["additionalProperties"]) == ([], False)


def test_every_kind_of_feature_is_described(mixed_app: App) -> None:
    """With its categories, and whether it is required."""
    sample = mixed_app.request("GET", "/openapi.json").body["components"]["schemas"]["Sample"]
    kinds = {name: feature["type"] for name, feature in sample["properties"].items()}
    assert kinds == {"size": "number", "count": "integer", "old": "boolean", "colour": "string"}
    assert sorted(sample["properties"]["colour"]["enum"]) == ["red", "white"]
    assert sample["required"] == list(kinds)


def test_the_stage_is_a_part_of_the_servers_address(app: App) -> None:
    """On API Gateway every path begins with it."""
    assert app.request("GET", "/openapi.json").body["servers"] == [{"url": "/"}]
    event = {
        "requestContext": {
            "httpMethod": "GET",
            "resourcePath": "/openapi.json",
            "path": "/Prod/openapi.json",
        },
        "headers": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": {},
        "stageVariables": None,
        "body": None,
    }
    body = json.loads(app.module.app(event, None)["body"])
    assert body["servers"] == [{"url": "/Prod"}]


def test_without_a_model_there_is_no_description(
    start_app: Callable[..., App], tmp_path: Path
) -> None:
    """A 503, as everywhere."""
    app = start_app(MODEL_URL=tmp_path.as_uri())
    for path in ("/model", "/openapi.json", "/version"):
        answer = app.request("GET", path)
        assert (answer.status, "error" in answer.body) == (503, True)
