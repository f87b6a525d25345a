"""The schemas of the Open Inference Protocol in the OpenAPI document."""

from __future__ import annotations

from chalicelib.models.manifest import Manifest
from chalicelib.openapi.json_schema import (
    TEXT,
    Schema,
    array_schema,
    nullable,
    object_schema,
    tuple_schema,
)
from chalicelib.openapi.sample_schemas import feature_schemas
from chalicelib.protocols.open_inference import BINARY_DATA_SIZE
from chalicelib.protocols.open_inference.metadata import model_metadata
from chalicelib.protocols.open_inference.request import MAX_ID_CHARACTERS
from chalicelib.protocols.open_inference.tensors import DATATYPES

_DATATYPE = TEXT | {"enum": list(DATATYPES)}
_PARAMETERS: Schema = {"type": ["object", "null"]}
_IN_JSON = {"not": {"required": [BINARY_DATA_SIZE]}}


def tensor_schemas(manifest: Manifest) -> dict[str, Schema]:
    """Describe the inference request, its response, and the model metadata."""
    return {
        "InferRequest": _infer_request(manifest),
        "InferResponse": _infer_response(),
        "Metadata": _metadata(),
    }


def _infer_request(manifest: Manifest) -> Schema:
    output_names = [output["name"] for output in model_metadata(manifest)["outputs"]]
    requested_output = object_schema(
        {"name": {"enum": output_names}, "parameters": _flag_parameters("binary_data")},
        required=["name"],
        additional_properties=True,
    )
    return object_schema(
        {
            "id": nullable(TEXT) | {"maxLength": MAX_ID_CHARACTERS},
            "parameters": _flag_parameters("binary_data_output"),
            "inputs": _input_tensors(manifest),
            "outputs": nullable(array_schema(requested_output)),
        },
        required=["inputs"],
        additional_properties=True,
    )


def _infer_response() -> Schema:
    tensor = object_schema(
        {
            "name": TEXT,
            "shape": array_schema({"type": "integer", "minimum": 0}, minItems=1, maxItems=2),
            "datatype": _DATATYPE,
            "data": array_schema({}) | {"description": "The values in row-major order."},
            "parameters": _PARAMETERS,
        },
        required=["name", "shape", "datatype"],
    )
    return object_schema(
        {
            "model_name": TEXT,
            "model_version": TEXT,
            "id": TEXT,
            "outputs": array_schema(tensor),
        },
        required=["model_name", "model_version", "outputs"],
    )


def _flag_parameters(name: str) -> Schema:
    """Describe parameters of which one asks for outputs as bytes."""
    return _PARAMETERS | {"properties": {name: {"type": "boolean"}}}


def _metadata() -> Schema:
    shape = array_schema({"type": "integer"})
    tensor = object_schema({"name": TEXT, "datatype": _DATATYPE, "shape": shape})
    return object_schema(
        {
            "name": TEXT,
            "versions": array_schema(TEXT),
            "platform": TEXT,
            "inputs": array_schema(tensor),
            "outputs": array_schema(tensor),
        }
    )


def _input_tensors(manifest: Manifest) -> Schema:
    """Describe the tensors of one sample: JSON Schema cannot tie the data to the shape."""
    inputs = model_metadata(manifest)["inputs"]
    features = list(feature_schemas(manifest).values())
    if manifest.signature.takes_only_numeric:
        minimum, tensors = 1, [_input_tensor(TEXT, inputs[0]["datatype"], features)]
    else:
        required = [i for i, f in enumerate(manifest.signature.features) if f.required]
        # Optional features may be left out, but a tuple can only end early.
        minimum = max(required, default=0) + 1
        tensors = [
            _input_tensor({"const": tensor["name"]}, tensor["datatype"], [feature])
            for tensor, feature in zip(inputs, features, strict=True)
        ]
    return tuple_schema(tensors) | {
        "minItems": minimum,
        "description": "The tensors of one sample. For n samples the shape begins with n, and the "
        "data has n times as many values. Other numeric datatypes and other orders are accepted.",
    }


def _input_tensor(name: Schema, datatype: str, features: list[Schema]) -> Schema:
    """Describe the tensor that holds these features of one sample."""
    flat = tuple_schema(features)
    layouts = [([1, len(features)], {"anyOf": [flat, tuple_schema([flat])]})]
    if len(features) == 1:
        layouts.append(([1], flat))
    return {
        "anyOf": [
            object_schema(
                {
                    "name": name,
                    "datatype": {"const": datatype},
                    "shape": tuple_schema([{"const": size} for size in shape]),
                    "data": data,
                    "parameters": _PARAMETERS | _IN_JSON,
                },
                required=["name", "datatype", "shape", "data"],
                additional_properties=True,
            )
            for shape, data in layouts
        ]
    }
