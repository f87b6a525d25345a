"""The schemas of the Open Inference Protocol, in the description of the API."""

from __future__ import annotations

from chalicelib.infer_answer import LABELS, PROBABILITIES, model_metadata
from chalicelib.infer_request import MAX_ID_CHARACTERS
from chalicelib.json_schema import Schema, closed, fixed_list
from chalicelib.manifest import Manifest
from chalicelib.openapi_samples import feature_schemas
from chalicelib.tensors import DATATYPES


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
    outputs = {"name": {"enum": [LABELS, PROBABILITIES]}, "parameters": parameters}
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
    is_matrix = len(inputs) == 1
    items = []
    for given, schema in zip(inputs, features, strict=False):
        of_tensor = features if is_matrix else [schema]
        tensor = {
            "name": {"type": "string"} if is_matrix else {"const": given["name"]},
            "shape": fixed_list([{"const": 1}, {"const": len(of_tensor)}]),
            "datatype": {"const": given["datatype"]},
            "data": fixed_list(of_tensor),
            "parameters": parameters,
        }
        needed = [name for name in tensor if name != "parameters"]
        items.append({"type": "object", "properties": tensor, "required": needed})
    return fixed_list(items) | {
        "description": "Here of one sample: for n of them the shape begins with n, and the data "
        "has n times as many values, flat or nested. Other datatypes of numbers are taken too."
    }
