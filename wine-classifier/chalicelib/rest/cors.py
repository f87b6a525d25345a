"""Cross-origin requests: off, unless a setting names the origins of the pages that may ask.

Chalice's own CORS is fixed when the app is packaged, where the environment of its stage is not
known; so preflights are answered by the app, and one package serves every stage.
"""

from __future__ import annotations

from collections.abc import Callable

from chalice.app import Chalice, Request, Response

from chalicelib.errors import MethodNotAllowed, ModelUnavailable
from chalicelib.rest.middleware import PREFLIGHT, handle_errors, served
from chalicelib.service import Service

# How long a browser need not ask again; none keeps an answer for longer than a day.
_MAX_AGE_SECONDS = 600
_REQUEST_HEADERS = "Authorization, Content-Type, X-Api-Key"
_RESPONSE_HEADERS = "Allow, Retry-After, X-Model-Version"


def register_preflight_routes(app: Chalice, service: Service) -> None:
    """Let every path that is served answer the question that a browser asks before a request.

    Parameters
    ----------
    app : chalice.app.Chalice
        With all its routes.
    service : Service
        What says which origins are allowed.
    """

    @handle_errors
    def preflight(**_parts: str) -> Response:
        """Say what a page may send, or that the method is none of those served."""
        request = app.current_request
        assert request is not None  # Chalice calls a route for a request only
        methods = served(app.routes[request.path])
        if not _origins(service):
            raise MethodNotAllowed(methods)
        headers = {
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": _REQUEST_HEADERS,
            "Access-Control-Max-Age": str(_MAX_AGE_SECONDS),
            "Content-Type": "application/json",
        }
        return Response("{}", {**headers})

    for path in list(app.routes):
        app.route(path, methods=[PREFLIGHT], content_types=[])(preflight)


def allow_origin(
    request: Request | None,
    get_response: Callable[[Request | None], Response],
    service: Service,
) -> Response:
    """Let pages of the allowed origins read a response.

    Parameters
    ----------
    request : chalice.app.Request or None
        The request.
    get_response : callable
        What Chalice gives a middleware to call.
    service : Service
        What says which origins are allowed.

    Returns
    -------
    chalice.app.Response
    """
    response = get_response(request)
    origins = _origins(service)
    if not origins or request is None:
        return response
    if origins != ("*",):
        response.headers["Vary"] = "Origin"
    origin = "*" if origins == ("*",) else request.headers.get("origin", "")
    if origin in origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _RESPONSE_HEADERS
    return response


def _origins(service: Service) -> tuple[str, ...]:
    try:
        return service.settings.cors_origins
    except ModelUnavailable:  # a setting is wrong, as the route itself says
        return ()
