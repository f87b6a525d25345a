"""The paths of the OpenAPI document and the operations of each."""

from __future__ import annotations

from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.openapi.examples import (
    classify_examples,
    csv_examples,
    infer_examples,
    invocation_examples,
)
from chalicelib.openapi.invocation_schemas import csv_schema
from chalicelib.openapi.json_schema import TEXT, array_schema, object_schema, ref
from chalicelib.openapi.operations import (
    BODY_ERRORS,
    classify_operation,
    get_operation,
    health_operation,
    request_content,
    response_object,
)
from chalicelib.protocols.open_inference import JSON_LENGTH_HEADER
from chalicelib.rest.responses import OCTET_STREAM

_BYTES = {
    "type": "string",
    "format": "binary",
    "description": f"The JSON, as long as {JSON_LENGTH_HEADER} says, then the outputs as bytes.",
}


def build_paths(manifest: Manifest) -> dict[str, Any]:
    """Describe every path of the API."""
    model_path = "/v2/models/{model_name}"
    version_path = f"{model_path}/versions/{{model_version}}"
    name, version = {"model_name": manifest.name}, {"model_version": manifest.version}
    return {
        **_classify_paths(manifest),
        **_description_paths(),
        **_invocation_paths(manifest),
        **_inference_server_paths(),
        **_inference_model_paths(manifest, model_path, name),
        **_inference_model_paths(manifest, version_path, name | version, id_suffix="Version"),
    }


def _classify_paths(manifest: Manifest) -> dict[str, Any]:
    examples = classify_examples(manifest)
    content = request_content("application/json", ref("ClassifyRequest"), examples)
    response = _prediction_response("ClassifyResponse", "The label of each sample.")
    return {"/classify": classify_operation("classify", "classify", content, response)}


def _description_paths() -> dict[str, Any]:
    any_object = {"type": "object"}
    return {
        "/health": health_operation("health", "Get the health of the service", "about"),
        "/model": get_operation(
            "model",
            "Get the manifest of the live model",
            "about",
            "The model's signature, metrics, estimator and libraries.",
            any_object,
        ),
        "/openapi.json": get_operation(
            "openapi",
            "Get the OpenAPI document",
            "about",
            "The OpenAPI 3.1 document for the live model.",
            any_object,
        ),
    }


def _invocation_paths(manifest: Manifest) -> dict[str, Any]:
    content = {
        **request_content("application/json", ref("Invocation"), invocation_examples(manifest)),
        **request_content("text/csv", csv_schema(manifest), csv_examples(manifest)),
    }
    response = _prediction_response("InvocationResponse", "The label of each sample.")
    response["content"]["text/csv"] = {"schema": TEXT}
    return {
        "/ping": health_operation("ping", "Get the health of the service", "mlflow"),
        "/version": get_operation(
            "version",
            "Get the name and version of the model",
            "mlflow",
            "The model's name and version.",
            object_schema({"name": TEXT, "version": TEXT}),
        ),
        "/invocations": classify_operation("invocations", "mlflow", content, response),
    }


def _inference_server_paths() -> dict[str, Any]:
    return {
        "/v2": get_operation(
            "serverMetadata",
            "Get the server metadata",
            "inference",
            "The server's name, version and extensions.",
            object_schema({"name": TEXT, "version": TEXT, "extensions": array_schema(TEXT)}),
            errors=(),
        ),
        "/v2/health/live": get_operation(
            "serverLive",
            "Check that the server is live",
            "inference",
            "The server is live.",
            object_schema({"live": {"const": True}}),
            errors=(),
        ),
        "/v2/health/ready": health_operation(
            "serverReady", "Check that the server is ready", "inference"
        ),
    }


def _inference_model_paths(
    manifest: Manifest, model_path: str, path_parameters: dict[str, str], id_suffix: str = ""
) -> dict[str, Any]:
    """Describe the paths of a model; `path_parameters` are the values of the live one."""
    content = request_content("application/json", ref("InferRequest"), infer_examples(manifest))
    response = _prediction_response("InferResponse", "The output tensors.")
    response["content"][OCTET_STREAM] = {"schema": _BYTES}
    paths = {
        model_path: get_operation(
            f"metadata{id_suffix}",
            "Get the model metadata",
            "inference",
            "The model's versions, platform, inputs and outputs.",
            ref("Metadata"),
            errors=("404", "503"),
        ),
        f"{model_path}/ready": get_operation(
            f"ready{id_suffix}",
            "Check that the model is ready",
            "inference",
            "The model is ready.",
            object_schema({"name": TEXT, "ready": {"const": True}}),
            errors=("404", "503"),
        ),
        f"{model_path}/infer": classify_operation(
            f"infer{id_suffix}", "inference", content, response, errors=(*BODY_ERRORS, "404")
        ),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": TEXT | {"enum": [value]}}
        for name, value in path_parameters.items()
    ]
    return {path: operations | {"parameters": parameters} for path, operations in paths.items()}


def _prediction_response(schema_name: str, description: str) -> dict[str, Any]:
    version = {"description": "The version of the model that predicted.", "schema": TEXT}
    out_of_range = {
        "description": "Of a single sample: the names of the features whose values are unlike the "
        "training data, percent-encoded, with commas between them.",
        "schema": TEXT,
    }
    headers = {"X-Model-Version": version, "X-Out-Of-Range": out_of_range}
    return response_object(description, ref(schema_name), headers)
