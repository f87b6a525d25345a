"""The paths of the API and what is done at each, in its description."""

from __future__ import annotations

from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.openapi.examples import csv_example, sample_examples, tensor_example
from chalicelib.openapi.invocation_schemas import csv_schema
from chalicelib.openapi.json_schema import Schema, closed, ref
from chalicelib.openapi.operations import (
    OF_A_BODY,
    answer_with,
    body_of,
    health_operation,
    operation,
)

_MODEL_VERSION = {
    "X-Model-Version": {"description": "The model that answered.", "schema": {"type": "string"}}
}


def paths_of(manifest: Manifest) -> dict[str, Any]:
    """Describe every path that is served.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.

    Returns
    -------
    dict
    """
    return {
        **_classify_paths(manifest),
        **_about_paths(),
        **_invocation_paths(manifest),
        **_inference_paths(manifest),
    }


def _classify_paths(manifest: Manifest) -> dict[str, Any]:
    named, positional = sample_examples(manifest)
    examples: dict[str, Any] = {
        "by name": {"data": named},
        "by position": {"data": positional},
        "a batch": {"data": [named, positional]},
    }
    if manifest.signature.has_probabilities:
        examples["with probabilities"] = {"data": named, "probabilities": True}
    body = body_of("application/json", ref("ClassifyRequest"), examples)
    answer = answer_with("The labels.", ref("ClassifyAnswer"), headers=_MODEL_VERSION)
    return {
        "/classify": {
            "post": operation("classify", "Classify samples", "classify", answer, OF_A_BODY, body)
        }
    }


def _about_paths() -> dict[str, Any]:
    anything = {"type": "object"}
    return {
        "/health": {"get": health_operation("health", "Tell how the service is", "about")},
        "/model": {
            "get": operation(
                "model", "Describe the model that is live", "about", answer_with("It.", anything)
            )
        },
        "/openapi.json": {
            "get": operation("openapi", "This document", "about", answer_with("It.", anything))
        },
    }


def _invocation_paths(manifest: Manifest) -> dict[str, Any]:
    named, positional = sample_examples(manifest)
    forms = {
        "dataframe_split": {
            "dataframe_split": {"columns": manifest.signature.names, "data": [positional]}
        },
        "dataframe_records": {"dataframe_records": [named]},
        "instances": {"instances": [positional]},
        "inputs": {"inputs": [named]},
        "bare": [positional],
    }
    body = body_of("application/json", ref("Invocation"), forms)
    body["content"]["text/csv"] = {
        "schema": csv_schema(manifest),
        "examples": {"without a header": {"value": csv_example(manifest)}},
    }
    answer = answer_with("The labels.", ref("InvocationAnswer"), headers=_MODEL_VERSION)
    answer["content"]["text/csv"] = {"schema": {"type": "string"}}
    version = closed({"name": {"type": "string"}, "version": {"type": "string"}})
    return {
        "/ping": {"get": health_operation("ping", "Tell how the service is", "mlflow")},
        "/version": {
            "get": operation(
                "version", "Name the model", "mlflow", answer_with("Its name.", version)
            )
        },
        "/invocations": {
            "post": operation("invocations", "Classify samples", "mlflow", answer, OF_A_BODY, body)
        },
    }


def _inference_paths(manifest: Manifest) -> dict[str, Any]:
    def get(name: str, summary: str, schema: Schema, errors: tuple[str, ...]) -> dict[str, Any]:
        answer = answer_with("Yes.", schema)
        return {"get": operation(name, summary, "inference", answer, errors)}

    text = {"type": "string"}
    server = closed({"name": text, "version": text, "extensions": {"type": "array", "items": text}})
    live = closed({"live": {"const": True}})
    ready = closed({"name": text, "ready": {"const": True}})
    infer = body_of("application/json", ref("InferRequest"), {"tensors": tensor_example(manifest)})
    answer = answer_with("The output tensors.", ref("InferAnswer"), headers=_MODEL_VERSION)
    paths: dict[str, Any] = {
        "/v2": get("serverMetadata", "Say what serves", server, ()),
        "/v2/health/live": get("serverLive", "Tell that the function runs", live, ()),
        "/v2/health/ready": {
            "get": health_operation("serverReady", "Tell if there is a model", "inference")
        },
    }
    for suffix, path, names in (
        ("", "/v2/models/{model_name}", {"model_name": manifest.name}),
        (
            "Version",
            "/v2/models/{model_name}/versions/{model_version}",
            {"model_name": manifest.name, "model_version": manifest.version},
        ),
    ):
        of_model = ("404", "503")
        errors = (*OF_A_BODY, "404")
        paths[path] = get(f"metadata{suffix}", "Describe the model", ref("Metadata"), of_model)
        paths[f"{path}/ready"] = get(
            f"ready{suffix}", "Tell if the model can answer", ready, of_model
        )
        paths[f"{path}/infer"] = {
            "post": operation(
                f"infer{suffix}", "Classify samples", "inference", answer, errors, infer
            )
        }
        for end in ("", "/ready", "/infer"):
            paths[path + end]["parameters"] = [
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "enum": [value]},
                }
                for name, value in names.items()
            ]
    return paths
