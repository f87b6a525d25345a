"""`GET /model` and `GET /openapi.json` describe the service as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from tests.support.app import App
from tests.support.models import WineModel, publish_to_folder
from training.artifact import BuiltModel

METHODS = {"get", "post"}


@pytest.fixture
def all_required_app(
    start_app: Callable[..., App], all_required: BuiltModel, tmp_path: Path
) -> App:
    """The app, serving a model whose features are all required."""
    return start_app(MODEL_URL=publish_to_folder(all_required, tmp_path / "all_required").url)


@pytest.fixture(params=["app", "mixed_app", "all_required_app"])
def any_app(request: pytest.FixtureRequest) -> App:
    """The app, serving each of three models."""
    app: App = request.getfixturevalue(request.param)
    return app


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the path, the method and the OpenAPI operation of each route."""
    for path, item in document["paths"].items():
        for parameter in item.get("parameters", []):
            path = path.replace(f"{{{parameter['name']}}}", parameter["schema"]["enum"][0])
        for method in METHODS & item.keys():
            yield path, method, item[method]


def matches(document: dict[str, Any], schema: dict[str, Any], value: object) -> bool:
    """Check a value against a schema of the document."""
    validator = OAS31Validator({**schema, "components": document["components"]})
    return bool(validator.is_valid(value))


def test_model_returns_the_manifest_without_internal_fields(app: App, trained: WineModel) -> None:
    """The name and version come first; the golden samples are left out."""
    body = app.request("GET", "/model").body
    assert list(body)[:2] == ["name", "version"]
    assert (body["name"], body["version"]) == ("wine", trained.built.version)
    assert body["signature"]["features"][0]["name"] == "alcohol"
    assert body.keys() >= {"metrics", "estimator", "libraries", "created_at"}
    assert not body.keys() & {"golden_samples", "attempts", "format"}


def test_document_is_valid_openapi_3_1(any_app: App) -> None:
    """openapi-spec-validator accepts the document for each model."""
    validate(any_app.request("GET", "/openapi.json").body, cls=OpenAPIV31SpecValidator)


def test_document_has_exactly_the_served_routes(app: App) -> None:
    """The catch-all routes and the preflights are not part of the API."""
    served = {
        (path, method.lower())
        for path, methods in app.module.app.routes.items()
        for method in methods
        if "part1" not in path and path != "/" and method != "OPTIONS"
    }
    paths = app.request("GET", "/openapi.json").body["paths"]
    assert {(path, m) for path, item in paths.items() for m in METHODS & item.keys()} == served


def test_every_example_request_succeeds(any_app: App) -> None:
    """Each example matches its schema, and so does the response to it."""
    document = any_app.request("GET", "/openapi.json").body
    count = 0
    for path, method, operation in operations(document):
        response_schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        bodies: dict[str, Any] = operation.get("requestBody", {}).get("content", {"": {}})
        for media_type, body in bodies.items():
            for example in body.get("examples", {"": {"value": ""}}).values():
                value = example["value"]
                encoded = value if isinstance(value, str) else json.dumps(value)
                headers = {"Content-Type": media_type} if media_type else {}
                response = any_app.request(method.upper(), path, encoded.encode(), headers)
                assert response.status == 200, (path, value, response.body)
                assert matches(document, response_schema, response.body), path
                assert not media_type or matches(document, body["schema"], value), (path, value)
                count += 1
    assert count > 20


def test_every_error_response_matches_the_document(app: App) -> None:
    """Each route with a body: malformed, another media type, invalid and too large."""
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
                response = app.request("POST", path, body, {"Content-Type": media_type})
                assert response.status == status, path
                assert str(status) in operation["responses"]
                error = {"$ref": "#/components/schemas/Error"}
                assert matches(document, error, response.body), path


def test_optional_numeric_features_are_nullable_and_have_a_range(app: App) -> None:
    """The range is a note, not a limit: values outside it are accepted."""
    sample = app.request("GET", "/openapi.json").body["components"]["schemas"]["Sample"]
    assert sample["properties"]["alcohol"]["type"] == ["number", "null"]
    assert sample["properties"]["alcohol"]["x-range"]["min"] > 10
    assert (sample["required"], sample["additionalProperties"]) == ([], False)


def test_every_kind_of_feature_has_its_json_type(mixed_app: App) -> None:
    """Categories become an enum, and required features are listed."""
    sample = mixed_app.request("GET", "/openapi.json").body["components"]["schemas"]["Sample"]
    types = {name: feature["type"] for name, feature in sample["properties"].items()}
    assert types == {"size": "number", "count": "integer", "old": "boolean", "colour": "string"}
    assert sorted(sample["properties"]["colour"]["enum"]) == ["red", "white"]
    assert sample["required"] == list(types)


def test_server_url_is_relative_and_repeats_nothing_of_the_request(app: App) -> None:
    """It holds below any stage and any custom domain's path."""
    assert app.request("GET", "/openapi.json").body["servers"] == [{"url": "."}]
    event = {
        "requestContext": {
            "httpMethod": "GET",
            "resourcePath": "/openapi.json",
            "path": "//evil.example/openapi.json",
        },
        "headers": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": {},
        "stageVariables": None,
        "body": None,
    }
    body = json.loads(app.module.app(event, None)["body"])
    assert body["servers"] == [{"url": "."}]


def test_descriptions_are_unavailable_without_a_model(
    start_app: Callable[..., App], tmp_path: Path
) -> None:
    """An empty store leads to a 503."""
    app = start_app(MODEL_URL=tmp_path.as_uri())
    for path in ("/model", "/openapi.json", "/version"):
        response = app.request("GET", path)
        assert (response.status, "error" in response.body) == (503, True)
