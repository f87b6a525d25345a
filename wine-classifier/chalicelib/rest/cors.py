"""Cross-origin requests: denied, unless ``CORS_ORIGINS`` allows some origins.

Chalice's own CORS is fixed when the app is packaged, before the environment of its stage is known.
The app handles preflights itself, so one package serves every stage.
"""

from __future__ import annotations

from chalice.app import Chalice, Request, Response

from chalicelib.errors import MethodNotAllowed, ModelUnavailable
from chalicelib.rest.middleware import PREFLIGHT, allowed_methods, handle_errors
from chalicelib.rest.responses import json_response
from chalicelib.service import Service

_MAX_AGE_SECONDS = 600  # browsers cache a preflight that long
# The last two are of requests signed with AWS Signature Version 4.
_REQUEST_HEADERS = (
    "Authorization, Content-Type, Inference-Header-Content-Length, X-Api-Key, X-Amz-Date, "
    "X-Amz-Security-Token"
)
_RESPONSE_HEADERS = (
    "Allow, Inference-Header-Content-Length, Retry-After, X-Model-Version, X-Out-Of-Range, "
    "X-Request-Id"
)


def register_preflight_routes(app: Chalice, service: Service) -> None:
    """Add an ``OPTIONS`` route to every path of an app; call it after the other routes."""

    @handle_errors
    def preflight(**_parts: str) -> Response:
        """Return the methods and headers that a page may use."""
        request = app.current_request
        assert request is not None  # views run within a request only
        methods = allowed_methods(app.routes[request.path])
        if not _allowed_origins(service):
            raise MethodNotAllowed(methods)
        headers = {
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": _REQUEST_HEADERS,
            "Access-Control-Max-Age": str(_MAX_AGE_SECONDS),
        }
        return json_response({}, headers)

    for path in list(app.routes):
        app.route(path, methods=[PREFLIGHT], content_types=[])(preflight)


def allow_origin(request: Request, headers: dict[str, str], service: Service) -> None:
    """Add CORS headers to those of a response if the request's origin is allowed."""
    origins = _allowed_origins(service)
    if not origins:
        return
    if origins != ("*",):
        headers["Vary"] = "Origin"
    origin = "*" if origins == ("*",) else request.headers.get("origin", "")
    if origin in origins:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = _RESPONSE_HEADERS


def _allowed_origins(service: Service) -> tuple[str, ...]:
    try:
        return service.settings.cors_origins
    except ModelUnavailable:  # a variable is invalid; the view reports it
        return ()
