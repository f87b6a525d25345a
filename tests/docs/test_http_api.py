"""docs/http-api.md names the routes, statuses and headers of the code."""

from __future__ import annotations

import ast
import json
import re

from chalicelib.rest.middleware import PREFLIGHT, not_found
from tests.support.app import App
from tests.support.pages import DOCS, prose, rows, section, spans
from tests.support.paths import APP
from tests.support.source import texts, trees

TEMPLATES = [json.loads(path.read_text()) for path in sorted((APP / ".chalice").glob("sam*.json"))]
HTTP_API = DOCS / "http-api.md"
HEADER = re.compile(r"(X|Access-Control|Retry)-[A-Za-z-]+")
ROUTE = re.compile(r"[A-Z]+ /\S*")


def test_every_route_is_on_the_page() -> None:
    """With its method; without preflights, and without the paths that get a 404."""
    served = {
        f"{method} {path}"
        for path, methods in App().module.app.routes.items()
        for method, entry in methods.items()
        if method != PREFLIGHT and entry.view_function is not not_found
    }
    page = prose(HTTP_API.read_text())
    assert {span for span in spans(page) if ROUTE.fullmatch(span)} == served


def test_every_status_is_on_the_page() -> None:
    """Those that `chalicelib/rest` and the stack name, and API Gateway's for a failed function."""
    named = {
        node.value
        for tree in trees(APP / "chalicelib/rest")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) is int and 400 <= node.value < 600
    }
    gateway = {
        int(response["StatusCode"])
        for template in TEMPLATES
        for response in template["Resources"]
        .get("RestAPI", {})
        .get("Properties", {})
        .get("GatewayResponses", {})
        .values()
        if "StatusCode" in response
    }
    documented = {int(cells[0]) for cells in rows(section(HTTP_API, "Errors"))}
    assert documented == named | gateway | {502}


def test_every_header_of_a_response_is_on_the_page() -> None:
    """As the strings of `chalicelib` name them."""
    named = {match[0] for text in texts(APP) for match in HEADER.finditer(text)}
    assert named
    assert named <= set(spans(HTTP_API.read_text()))
