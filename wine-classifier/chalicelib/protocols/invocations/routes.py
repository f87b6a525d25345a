"""The routes that MLflow's and SageMaker's clients ask."""

from __future__ import annotations

from contextlib import suppress

from chalice.app import Blueprint, Response

from chalicelib.errors import InvalidRequest, ModelUnavailable
from chalicelib.models.predict import predict
from chalicelib.rest.events import read_request
from chalicelib.rest.middleware import handle_errors
from chalicelib.rest.responses import health_response, json_response
from chalicelib.service import Service


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

    @routes.route("/ping", methods=["GET"], content_types=[])
    @handle_errors
    def ping() -> Response:
        """Tell whether there is a model, as ``/health`` does."""
        models = service.models
        with suppress(ModelUnavailable):
            models.current()
        return health_response(models.health())

    @routes.route("/version", methods=["GET"], content_types=[])
    @handle_errors
    def version() -> Response:
        """Name the model that is live."""
        manifest = service.models.current().manifest
        return json_response({"name": manifest.name, "version": manifest.version})

    @routes.route("/invocations", methods=["POST"], content_types=[])
    @handle_errors
    def invocations() -> Response:
        """Classify the samples in the body."""
        # Only who asks in these forms should pay for their import.
        from chalicelib.protocols.invocations.csv_format import CSV, accepts_csv, write_csv
        from chalicelib.protocols.invocations.request import read_invocation

        body, headers = read_request(routes)
        settings, models = service.settings, service.models
        model = models.current()
        asked = read_invocation(body, headers, model.manifest.signature, max_rows=settings.max_rows)
        try:
            prediction, _ = predict(asked.samples, model, max_rows=settings.max_rows)
        except InvalidRequest as error:
            raise error.moved(asked.place) from None
        version = {"X-Model-Version": model.manifest.version}
        if accepts_csv(headers):
            return Response(
                write_csv([label] for label in prediction.labels), {"Content-Type": CSV, **version}
            )
        labels = prediction.labels
        return json_response(labels if asked.is_bare else {"predictions": labels}, version)

    return routes
