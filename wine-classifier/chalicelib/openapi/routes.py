"""The routes that describe what is served: the model, and the API for it."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib.rest.middleware import handle_errors
from chalicelib.rest.responses import json_response
from chalicelib.service import Service

# What a manifest holds for the function alone, and not for a reader.
_NOT_FOR_READERS = {"format", "golden_samples", "attempts"}


def create_blueprint(service: Service) -> Blueprint:
    """Make the routes.

    Parameters
    ----------
    service : Service
        What they answer with.

    Returns
    -------
    chalice.app.Blueprint
    """
    routes = Blueprint(__name__)

    @routes.route("/model", methods=["GET"], content_types=[])
    @handle_errors
    def model() -> Response:
        """Describe the model: what it takes and answers, how good it is, what it was made with."""
        document = service.models.current().manifest.document
        first = {name: document[name] for name in ("name", "version")}
        return json_response(
            first | {name: document[name] for name in document if name not in _NOT_FOR_READERS}
        )

    @routes.route("/openapi.json", methods=["GET"], content_types=[])
    @handle_errors
    def openapi() -> Response:
        """Describe the API for the live model."""
        # Only who asks for it should pay for its import.
        from chalicelib.openapi.document import openapi_document

        settings, models = service.settings, service.models
        # On API Gateway paths begin with the stage, or with what a domain maps.
        path = str(routes.current_request.context.get("path", ""))
        document = openapi_document(
            models.current().manifest,
            max_rows=settings.max_rows,
            server_url=path.rstrip("/").removesuffix("/openapi.json") or "/",
        )
        return json_response(document)

    return routes
