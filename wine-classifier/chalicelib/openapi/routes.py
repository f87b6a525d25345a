"""The routes of the model's manifest and of the OpenAPI document."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib.models.row_limit import max_samples
from chalicelib.rest.middleware import handle_errors
from chalicelib.rest.responses import json_response
from chalicelib.service import Service


def create_blueprint(service: Service) -> Blueprint:
    """Create the blueprint of ``/model`` and ``/openapi.json``."""
    routes = Blueprint(__name__)

    @routes.route("/model", methods=["GET"], content_types=[])
    @handle_errors
    def model() -> Response:
        """Return the manifest of the live model, its name and version first."""
        # Imported here so that no other request pays for the import.
        from chalicelib.openapi.public_manifest import public_manifest

        return json_response(public_manifest(service.models.current().manifest))

    @routes.route("/openapi.json", methods=["GET"], content_types=[])
    @handle_errors
    def openapi() -> Response:
        """Return the OpenAPI document of the API, as the live model defines it."""
        # Imported here so that no other request pays for the import.
        from chalicelib.openapi.document import openapi_document

        manifest = service.models.current().manifest
        max_rows = max_samples(manifest, service.settings)
        return json_response(openapi_document(manifest, max_rows=max_rows))

    return routes
