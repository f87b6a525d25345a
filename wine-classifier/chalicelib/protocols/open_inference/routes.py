"""The routes of the Open Inference Protocol (V2): what Triton's and KServe's clients speak."""

from __future__ import annotations

from contextlib import suppress

from chalice.app import Blueprint, Response

from chalicelib import SERVER_VERSION
from chalicelib.errors import BinaryTensors, InvalidRequest, ModelUnavailable, UnknownModel
from chalicelib.models.model import Model
from chalicelib.models.predict import predict
from chalicelib.rest.body import read_json
from chalicelib.rest.events import read_request
from chalicelib.rest.middleware import handle_errors
from chalicelib.rest.responses import health_response, json_response
from chalicelib.service import Service

_MODEL = "/v2/models/{model_name}"
_VERSION = f"{_MODEL}/versions/{{model_version}}"


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

    @routes.route("/v2", methods=["GET"], content_types=[])
    @handle_errors
    def server_metadata() -> Response:
        """Say what serves."""
        return json_response(
            {"name": "wine-classifier", "version": SERVER_VERSION, "extensions": []}
        )

    @routes.route("/v2/health/live", methods=["GET"], content_types=[])
    @handle_errors
    def live() -> Response:
        """Tell that the function runs."""
        return json_response({"live": True})

    @routes.route("/v2/health/ready", methods=["GET"], content_types=[])
    @handle_errors
    def ready() -> Response:
        """Tell whether there is a model."""
        models = service.models
        with suppress(ModelUnavailable):
            models.current()
        return health_response(models.health())

    @handle_errors
    def metadata(model_name: str, model_version: str | None = None) -> Response:
        """Describe the model."""
        # Only who speaks this protocol should pay for its import.
        from chalicelib.protocols.open_inference.metadata import model_metadata

        return json_response(model_metadata(_live(service, model_name, model_version).manifest))

    @handle_errors
    def model_ready(model_name: str, model_version: str | None = None) -> Response:
        """Tell whether the model can answer."""
        model = _live(service, model_name, model_version)
        return json_response({"name": model.manifest.name, "ready": True})

    @handle_errors
    def infer(model_name: str, model_version: str | None = None) -> Response:
        """Classify the samples in the tensors of the body."""
        from chalicelib.protocols.open_inference.request import read_infer_request
        from chalicelib.protocols.open_inference.response import infer_response

        body, headers = read_request(routes)
        if "inference-header-content-length" in headers:
            raise BinaryTensors
        model = _live(service, model_name, model_version)
        max_rows = service.settings.max_rows
        request = read_infer_request(
            read_json(body, headers), model.manifest.signature, max_rows=max_rows
        )
        try:
            prediction, _ = predict(request.samples, model, max_rows=max_rows)
        except InvalidRequest as error:
            raise error.moved(request.place) from None
        version = {"X-Model-Version": model.manifest.version}
        answer = infer_response(
            prediction, model.manifest, outputs=request.outputs, request_id=request.id
        )
        return json_response(answer, version)

    for path in (_MODEL, _VERSION):
        routes.route(path, methods=["GET"], content_types=[])(metadata)
        routes.route(f"{path}/ready", methods=["GET"], content_types=[])(model_ready)
        routes.route(f"{path}/infer", methods=["POST"], content_types=[])(infer)
    return routes


def _live(service: Service, name: str, version: str | None) -> Model:
    """Give the live model if it is the one that is asked for."""
    from urllib.parse import unquote  # `chalice local` hands over paths as they were sent

    model = service.models.current()
    manifest = model.manifest
    if manifest.name not in (name, unquote(name)) or version not in (None, manifest.version):
        raise UnknownModel
    return model
