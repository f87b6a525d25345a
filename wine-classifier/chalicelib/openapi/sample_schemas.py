"""The schemas of samples and of what they are answered, in the description of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.inputs.samples import LARGEST_INTEGER, LARGEST_NUMBER
from chalicelib.inputs.signature import Signature
from chalicelib.models.manifest import Manifest
from chalicelib.openapi.json_schema import Schema, closed, fixed_list, ref

_JSON_TYPES = {
    "numeric": "number",
    "integer": "integer",
    "boolean": "boolean",
    "categorical": "string",
}
_LIMITS = ("minimum", "maximum", "pattern", "enum")
_NO_NUL = "^[^\\u0000]*$"
_DIGITS = "[0-9]{1,15}"
_NUMBER_AS_TEXT = (
    rf"^[ ]*[+-]?({_DIGITS}(\.({_DIGITS})?)?|\.{_DIGITS})([eE][+-]?[0-9]{{1,2}})?[ ]*$"
)


def sample_schemas(manifest: Manifest, max_rows: int) -> dict[str, Schema]:
    """Describe samples, ``POST /classify`` and its answer.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.
    max_rows : int
        The most samples that one request may hold.

    Returns
    -------
    dict
    """
    signature = manifest.signature
    features = feature_schemas(manifest)
    label = {"type": "string", "enum": list(signature.classes)}
    kind: Any = ["number", "null"] if signature.allows_nan else "number"
    probability = {"type": kind, "minimum": 0, "maximum": 1}
    one = {"prediction": label, "probabilities": ref("Probabilities")}
    many = {
        "predictions": {"type": "array", "items": label},
        "probabilities": {"type": "array", "items": ref("Probabilities")},
    }
    data = [ref("Sample"), ref("PositionalSample"), ref("Batch"), *_scalars(manifest)]
    return {
        "Sample": {
            "type": "object",
            "description": "A value for each feature, by name.",
            "properties": dict(zip(signature.names, features, strict=True)),
            "required": required_names(signature),
            "additionalProperties": False,
        },
        "PositionalSample": fixed_list(features)
        | {"description": "A value for each feature, in the model's order."},
        "Batch": {
            "type": "array",
            "description": f"At most {max_rows:,} samples.",
            "items": {"anyOf": [ref("Sample"), ref("PositionalSample")]},
            "minItems": 1,
        },
        "ClassifyRequest": closed(
            {
                "data": {"anyOf": data},
                "probabilities": {
                    "type": "boolean",
                    "default": False,
                    **({} if signature.has_probabilities else {"const": False}),
                },
            },
            optional=("probabilities",),
        ),
        "Probabilities": closed(dict.fromkeys(signature.classes, probability)),
        "SampleAnswer": closed(one, optional=("probabilities",)),
        "BatchAnswer": closed(many, optional=("probabilities",)),
        "ClassifyAnswer": {"oneOf": [ref("SampleAnswer"), ref("BatchAnswer")]},
    }


def feature_schemas(manifest: Manifest) -> list[Schema]:
    """Describe each feature, in the model's order.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.

    Returns
    -------
    list
    """
    return [_feature_schema(document) for document in manifest.document["signature"]["features"]]


def required_names(signature: Signature) -> list[str]:
    """Return the names of the required features."""
    return [feature.name for feature in signature.features if feature.required]


def _feature_schema(document: Mapping[str, Any]) -> Schema:
    """Describe a feature; what it ranged over when the model was made binds nobody."""
    kind = _JSON_TYPES[document["kind"]]
    schema: Schema = {"type": kind if document["required"] else [kind, "null"]}
    if kind == "number":
        schema |= {"minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER}
    elif kind == "integer":
        schema |= {"minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER}
    elif kind == "string":
        schema["pattern"] = _NO_NUL
    if document.get("unknown_categories") == "rejected":
        nothing = [] if document["required"] else [None]
        schema["enum"] = [*document["categories"], *nothing]
    notes = []
    if "min" in document:
        notes.append(f"From {document['min']} to {document['max']}, median {document['median']}.")
        schema["x-range"] = {name: document[name] for name in ("min", "max", "median")}
    if document.get("unknown_categories") == "accepted":
        notes.append("Any text is accepted.")
        if "categories" in document:  # few, which other texts may take the place of
            schema["x-categories"] = document["categories"]
    if not document["required"]:
        notes.append("May be absent or null.")
    return schema | {"description": " ".join(notes), "examples": [document["example"]]}


def _scalars(manifest: Manifest) -> list[Schema]:
    """Describe the first feature alone, if the model can do without the others."""
    first, *others = manifest.signature.features
    if first.kind == "boolean" or any(feature.required for feature in others):
        return []
    schema = _feature_schema(manifest.document["signature"]["features"][0])
    alone: Schema = {"type": _JSON_TYPES[first.kind]}
    alone |= {name: schema[name] for name in _LIMITS if name in schema}
    if "enum" in alone:
        alone["enum"] = [category for category in alone["enum"] if category is not None]
    if first.kind == "categorical":
        return [alone]
    return [alone, {"type": "string", "pattern": _NUMBER_AS_TEXT}]
