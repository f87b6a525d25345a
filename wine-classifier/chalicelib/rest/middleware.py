"""Error handling around every view: any error becomes a response of the one error shape."""

from __future__ import annotations

import functools
import json
import os
import traceback
from collections.abc import Callable, Mapping

from chalice.app import Request, Response, RouteEntry

from chalicelib.errors import (
    MethodNotAllowed,
    ServingError,
    UnknownPath,
)
from chalicelib.log import log_event
from chalicelib.record import current_record
from chalicelib.rest.body import LAMBDA_PAYLOAD_BYTES
from chalicelib.rest.responses import (
    error_response,
    internal_error_response,
    response_too_large,
)

# The method of CORS preflights; see `chalicelib.rest.cors`.
PREFLIGHT = "OPTIONS"

_direct_views: set[Callable[..., Response]] = set()


def handle_errors(view: Callable[..., Response]) -> Callable[..., Response]:
    """Turn any exception in a view into an error response.

    An unexpected one becomes a 500 and is logged with its type and traceback, without values.
    """

    @functools.wraps(view)
    def wrapper(*args: str, **kwargs: str) -> Response:
        try:
            try:
                return view(*args, **kwargs)
            except ServingError as error:
                return error_response(error)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            log_event(
                "internal error",
                request_id=current_record().request_id,
                error=type(error).__name__,
                at=[f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in frames],
            )
            return internal_error_response()

    _direct_views.add(wrapper)
    return wrapper


def is_direct(request: Request, views: Mapping[str, RouteEntry]) -> bool:
    """Return whether a request is for `call_view`; views without `handle_errors` are Chalice's."""
    entry = views.get(request.method)
    return entry is None or entry.view_function in _direct_views


def call_view(request: Request, views: Mapping[str, RouteEntry]) -> Response:
    """Call the view for a request's method; its response is an error if Lambda cannot deliver it.

    It has to be a view of `handle_errors`, which checks the content type of its request itself.
    """
    entry = views.get(request.method)
    if entry is None:
        methods = allowed_methods(views)
        return error_response(MethodNotAllowed(methods) if methods else UnknownPath())
    parameters = request.uri_params or {}
    response: Response = entry.view_function(**{name: parameters[name] for name in entry.view_args})
    if isinstance(response.body, str) and _is_too_large(response.body):
        return error_response(response_too_large())
    return response


def allowed_methods(methods: Mapping[str, RouteEntry]) -> list[str]:
    """Return the methods of a path, without preflights and without `not_found`."""
    return sorted(
        method
        for method, entry in methods.items()
        if method != PREFLIGHT and entry.view_function is not not_found
    )


@handle_errors
def not_found(**_parts: str) -> Response:
    """Respond to a path that has no route."""
    raise UnknownPath


def _is_too_large(body: str) -> bool:
    """Check a body against Lambda's limit, which counts it as an escaped JSON string."""
    return 2 * len(body) + 2 > LAMBDA_PAYLOAD_BYTES and len(json.dumps(body)) > LAMBDA_PAYLOAD_BYTES
