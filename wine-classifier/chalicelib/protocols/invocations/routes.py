"""The routes of MLflow's and SageMaker's clients."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib.models.predict import predict
from chalicelib.rest.events import read_request
from chalicelib.rest.middleware import handle_errors
from chalicelib.rest.responses import (
    check_label_size,
    health_response,
    json_response,
    prediction_headers,
    text_response,
)
from chalicelib.service import Service


def create_blueprint(service: Service) -> Blueprint:
    """Return the routes of a service."""
    routes = Blueprint(__name__)

    @routes.route("/ping", methods=["GET"], content_types=[])
    @handle_errors
    def ping() -> Response:
        """Return the health of the service, as ``/health`` does."""
        return health_response(service.models)

    @routes.route("/version", methods=["GET"], content_types=[])
    @handle_errors
    def version() -> Response:
        """Return the name and version of the live model."""
        manifest = service.models.current().manifest
        return json_response({"name": manifest.name, "version": manifest.version})

    @routes.route("/invocations", methods=["POST"], content_types=[])
    @handle_errors
    def invocations() -> Response:
        """Classify the samples in the body."""
        # Imported here so that other requests do not pay for it.
        from chalicelib.protocols.invocations.csv_format import CSV, accepts_csv, write_csv
        from chalicelib.protocols.invocations.request import read_invocation

        body, headers = read_request(routes)
        model = service.models.current()
        signature = model.manifest.signature
        with service.row_limit(model.manifest) as max_rows:
            request = read_invocation(body, headers, signature, max_rows=max_rows)
            prediction, _ = predict(request.samples, model, request.locate, max_rows=max_rows)
        labels = prediction.labels
        described = prediction_headers(model.manifest.version, prediction.out_of_range)
        check_label_size(labels, signature)
        if accepts_csv(headers):
            csv = write_csv([label] for label in labels)
            return text_response(csv, {"Content-Type": CSV, **described})
        return json_response(labels if request.is_bare else {"predictions": labels}, described)

    return routes
