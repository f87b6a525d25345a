"""The routes of the Open Inference Protocol."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import SERVER_VERSION
from chalicelib.errors import UnknownModel
from chalicelib.models.model import Model
from chalicelib.models.predict import predict
from chalicelib.protocols.open_inference import JSON_LENGTH_HEADER
from chalicelib.rest.body import read_json
from chalicelib.rest.events import read_request
from chalicelib.rest.middleware import handle_errors
from chalicelib.rest.responses import (
    bytes_response,
    encode_json,
    health_response,
    json_response,
    prediction_headers,
)
from chalicelib.service import Service

_MODEL = "/v2/models/{model_name}"
_BINARY_EXTENSION = "binary_tensor_data"
_VERSION = f"{_MODEL}/versions/{{model_version}}"


def create_blueprint(service: Service) -> Blueprint:
    """Return the routes of a service."""
    routes = Blueprint(__name__)

    @routes.route("/v2", methods=["GET"], content_types=[])
    @handle_errors
    def server_metadata() -> Response:
        """Return the name and version of the server."""
        name = routes.current_app.app_name
        return json_response(
            {"name": name, "version": SERVER_VERSION, "extensions": [_BINARY_EXTENSION]}
        )

    @routes.route("/v2/health/live", methods=["GET"], content_types=[])
    @handle_errors
    def live() -> Response:
        """Return that the server runs."""
        return json_response({"live": True})

    @routes.route("/v2/health/ready", methods=["GET"], content_types=[])
    @handle_errors
    def ready() -> Response:
        """Return the health of the service, as ``/health`` does."""
        return health_response(service.models)

    # Formats are imported in the views so that other requests do not pay for them.

    @handle_errors
    def metadata(model_name: str, model_version: str | None = None) -> Response:
        """Return the model's inputs and outputs."""
        from chalicelib.protocols.open_inference.metadata import model_metadata

        return json_response(
            model_metadata(_get_model(service, model_name, model_version).manifest)
        )

    @handle_errors
    def model_ready(model_name: str, model_version: str | None = None) -> Response:
        """Return that the model is loaded."""
        model = _get_model(service, model_name, model_version)
        return json_response({"name": model.manifest.name, "ready": True})

    @handle_errors
    def infer(model_name: str, model_version: str | None = None) -> Response:
        """Classify the samples in the tensors of the body."""
        from chalicelib.protocols.open_inference.request import read_infer_request
        from chalicelib.protocols.open_inference.response import infer_response

        body, headers = read_request(routes)
        model = _get_model(service, model_name, model_version)
        manifest = model.manifest
        if JSON_LENGTH_HEADER.lower() in headers:
            from chalicelib.protocols.open_inference.binary import read_body

            document, data = read_body(body, headers)
        else:
            document, data = read_json(body, headers), None
        with service.row_limit(manifest) as max_rows:
            request = read_infer_request(document, manifest.signature, max_rows=max_rows, data=data)
            prediction, _ = predict(request.samples, model, request.locate, max_rows=max_rows)
        response, tensors = infer_response(
            prediction, manifest, outputs=request.outputs, request_id=request.id
        )
        response_headers = prediction_headers(manifest.version, prediction.out_of_range)
        if not any(request.outputs.values()):
            return json_response(response, response_headers)
        text = encode_json(response).encode()
        return bytes_response(
            text + tensors, {**response_headers, JSON_LENGTH_HEADER: str(len(text))}
        )

    for path in (_MODEL, _VERSION):
        routes.route(path, methods=["GET"], content_types=[])(metadata)
        routes.route(f"{path}/ready", methods=["GET"], content_types=[])(model_ready)
        routes.route(f"{path}/infer", methods=["POST"], content_types=[])(infer)
    return routes


def _get_model(service: Service, name: str, version: str | None) -> Model:
    """Return the live model; raises `UnknownModel` if its name or version is another."""
    from urllib.parse import unquote  # `chalice local` does not decode paths

    model = service.models.current()
    manifest = model.manifest
    if manifest.name not in (name, unquote(name)) or version not in (None, manifest.version):
        raise UnknownModel
    return model
