"""The schemas of the Open Inference Protocol, in the description of the API."""

from __future__ import annotations

from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.openapi.json_schema import Schema, closed, fixed_list
from chalicelib.openapi.sample_schemas import feature_schemas
from chalicelib.protocols.open_inference.metadata import model_metadata
from chalicelib.protocols.open_inference.request import MAX_ID_CHARACTERS
from chalicelib.protocols.open_inference.tensors import DATATYPES


def tensor_schemas(manifest: Manifest) -> dict[str, Schema]:
    """Describe a request for inference, its answer, and what the model says of itself.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.

    Returns
    -------
    dict
    """
    name, parameters = {"type": "string"}, {"type": ["object", "null"]}
    datatype = {"type": "string", "enum": list(DATATYPES)}
    size = {"type": "integer", "minimum": 0}
    tensor = {
        "name": name,
        "shape": {"type": "array", "items": size, "minItems": 1, "maxItems": 2},
        "datatype": datatype,
        "data": {"type": "array", "items": {}, "description": "Flat."},
        "parameters": parameters,
    }
    known = [output["name"] for output in model_metadata(manifest)["outputs"]]
    outputs = {"name": {"enum": known}, "parameters": parameters}
    described = {
        "name": name,
        "datatype": datatype,
        "shape": {"type": "array", "items": {"type": "integer"}},
    }
    tensors = _input_tensors(manifest, parameters)
    item = {"type": "object", "properties": outputs, "required": ["name"]}
    asked = {"type": ["array", "null"], "items": item}
    answers = {
        "type": "array",
        "items": closed(tensor, optional=("parameters",)),
    }
    return {
        "InferRequest": {
            "type": "object",
            "properties": {
                "id": {"type": ["string", "null"], "maxLength": MAX_ID_CHARACTERS},
                "parameters": parameters,
                "inputs": tensors,
                "outputs": asked,
            },
            "required": ["inputs"],
        },
        "InferAnswer": closed(
            {"model_name": name, "model_version": name, "id": name, "outputs": answers},
            optional=("id",),
        ),
        "Metadata": closed(
            {
                "name": name,
                "versions": {"type": "array", "items": name},
                "platform": name,
                "inputs": {"type": "array", "items": closed(described)},
                "outputs": {"type": "array", "items": closed(described)},
            }
        ),
    }


def _input_tensors(manifest: Manifest, parameters: Schema) -> Schema:
    """Describe the tensors of one sample: JSON Schema cannot say how data and shape belong."""
    inputs = model_metadata(manifest)["inputs"]
    features = feature_schemas(manifest)
    if manifest.signature.takes_only_numeric:
        least, described = 1, [_tensor(inputs[0], {"type": "string"}, features, parameters)]
    else:
        required = [i for i, f in enumerate(manifest.signature.features) if f.required]
        # An optional feature may have no input; of those in the middle this says nothing.
        least = max(required, default=0) + 1
        described = [
            _tensor(given, {"const": given["name"]}, [schema], parameters)
            for given, schema in zip(inputs, features, strict=True)
        ]
    return fixed_list(described) | {
        "minItems": least,
        "description": "Here of one sample: for n of them the shape begins with n, and the data "
        "has n times as many values. Other datatypes of numbers are taken too, and other orders.",
    }


def _tensor(
    given: dict[str, Any], name: Schema, features: list[Schema], parameters: Schema
) -> Schema:
    """Describe the tensor of one sample that holds some features."""
    flat = fixed_list(features)
    forms = [([1, len(features)], {"anyOf": [flat, fixed_list([flat])]})]
    if len(features) == 1:
        forms.append(([1], flat))
    common = {"name": name, "datatype": {"const": given["datatype"]}}
    return {
        "anyOf": [
            {
                "type": "object",
                "properties": common
                | {
                    "shape": fixed_list([{"const": size} for size in shape]),
                    "data": data,
                    "parameters": parameters,
                },
                "required": ["name", "datatype", "shape", "data"],
            }
            for shape, data in forms
        ]
    }
