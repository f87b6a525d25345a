"""Who may send requests: the security of each method in the template's description of the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deployment.errors import PackagingError

KEY, IAM, PUBLIC = "key", "iam", "none"
ACCESS = (KEY, IAM, PUBLIC)

# Open without a key or signature, so that a browser, which sends neither, gets the page and its
# preflights, and a load balancer the health.
OPEN_PATHS = ("/", "/health")
PREFLIGHT = "options"
_INTEGRATION = "x-amazon-apigateway-integration"  # what makes an entry of a path a method

# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-auth.html
_SCHEMES = {
    KEY: {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}},
    IAM: {
        "sigv4": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
    },
}
_SUMMARIES = {
    KEY: "requests with the stack's API key in the header X-Api-Key",
    IAM: "requests signed with AWS Signature Version 4, by who may execute-api:Invoke",
    PUBLIC: "public, anyone who knows the URL can send requests",
}


def get(name: str | None, default: str) -> str:
    """Return who may send requests, by its name; raise `PackagingError` for another name."""
    if name is not None and name not in ACCESS:
        raise PackagingError(f"There is no access {name}: AUTH is key or iam, PUBLIC=yes is none.")
    return name or default


def is_open(path: str, method: str) -> bool:
    """Return whether a method needs neither key nor signature."""
    return path in OPEN_PATHS or method.lower() == PREFLIGHT


def require(template: dict[str, Any], auth: str) -> None:
    """Add the security of an API to its template, on every method that is not open."""
    if auth == PUBLIC:
        return
    body = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    body.setdefault("securityDefinitions", {}).update(_SCHEMES[auth])
    for path, method, operation in methods(body):
        if not is_open(path, method):
            operation["security"] = [{name: []} for name in _SCHEMES[auth]]


def methods(body: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation of each method of a Swagger document."""
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            if isinstance(operation, dict) and _INTEGRATION in operation:
                yield path, method, operation


def describe(auth: str) -> str:
    """Return who may send requests, in one sentence."""
    opened = "" if auth == PUBLIC else "; the page, /health and preflights are open"
    return f"Access: {_SUMMARIES[auth]}{opened}."
