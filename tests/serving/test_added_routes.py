"""Views and middleware that someone adds to the app behave as Chalice documents."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from chalice.app import BadRequestError, Request, Response
from chalice.test import Client

from chalicelib.rest.middleware import is_direct
from deployment.emulator.events import api_gateway_event
from tests.support.app import App
from tests.support.paths import APP
from training.registry import ModelRegistry

PAGE = "https://example.org"


@pytest.fixture
def app(start_app: Callable[..., App], wine_store: ModelRegistry) -> App:
    """The app with two more routes."""
    app = start_app(MODEL_URL=wine_store.url, CORS_ORIGINS=PAGE)

    def double(number: str) -> dict[str, int]:
        if not number.isdigit():
            raise BadRequestError("not a number")
        return {"double": 2 * int(number)}

    app.module.app.route("/double/{number}")(double)
    return app


def call(app: App, path: str) -> Any:
    """Return the response to a request of a page."""
    client = Client(app.module.app, stage_name="local", project_dir=str(APP))
    return client.http.get(path, headers={"Origin": PAGE})


def test_the_views_of_this_project_are_called_without_chalice(app: App) -> None:
    """All of them, and none that someone adds."""
    routes = app.module.app.routes
    called_by_chalice = {
        path
        for path, views in routes.items()
        for method in views
        if not is_direct(cast(Request, SimpleNamespace(method=method)), views)
    }
    assert called_by_chalice == {"/double/{number}"}


def test_a_view_may_return_what_chalice_accepts(app: App) -> None:
    """A dict becomes JSON, with the headers of every response of the app."""
    response = call(app, "/double/21")
    assert (response.status_code, response.body) == (200, b'{"double":42}')
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert response.headers["X-Request-Id"]


@pytest.fixture
def queries(app: App) -> list[dict[str, list[str]] | None]:
    """The queries that a further view reads, as Chalice documents it."""
    seen: list[dict[str, list[str]] | None] = []

    def read() -> dict[str, str]:
        query = app.module.app.current_request.query_params
        seen.append(query and {name: query.getlist(name) for name in query})
        return {}

    app.module.app.route("/query")(read)
    return seen


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", None),
        ("?n=1", {"n": ["1"]}),
        ("?n=1&n=2&m=%C3%A4", {"n": ["1", "2"], "m": ["ä"]}),
    ],
)
def test_a_view_may_read_the_query(
    app: App, queries: list[Any], query: str, expected: dict[str, list[str]] | None
) -> None:
    """Each parameter has a list of values."""
    assert call(app, f"/query{query}").status_code == 200
    assert queries == [expected]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"queryStringParameters": {"n": "1,2"}}, {"n": ["1,2"]}),  # of a function URL
        ({"multiValueQueryStringParameters": {"n": ["1", 2, None], "m": 3}}, {"n": ["1"]}),
        ({"multiValueQueryStringParameters": "n=1", "queryStringParameters": [1]}, None),
    ],
)
def test_a_query_has_texts_only(
    app: App, queries: list[Any], changes: dict[str, Any], expected: dict[str, list[str]] | None
) -> None:
    """Whatever an event holds."""
    event = api_gateway_event("GET", "/query") | changes
    assert app.module.app(event, None)["statusCode"] == 200
    assert queries == [expected]


def test_a_view_may_raise_an_error_of_chalice(app: App) -> None:
    """It has the status and the body that Chalice gives it."""
    response = call(app, "/double/x")
    assert response.status_code == 400
    assert response.json_body == {"Code": "BadRequestError", "Message": "not a number"}


def test_middleware_surrounds_every_view(app: App) -> None:
    """Those of the app too."""
    seen = []

    def stamp(request: Any, get_response: Callable[[Any], Response]) -> Response:
        seen.append(request.path)
        response = get_response(request)
        response.headers["X-Stamp"] = "yes"
        return response

    app.module.app.register_middleware(stamp, "http")
    for response in (call(app, "/double/1"), call(app, "/health")):
        assert (response.status_code, response.headers["X-Stamp"]) == (200, "yes")
    assert seen == ["/double/{number}", "/health"]
