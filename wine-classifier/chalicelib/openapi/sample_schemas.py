"""The schemas of samples and of ``POST /classify`` in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.inputs.numbers import LARGEST_INTEGER
from chalicelib.inputs.signature import Signature
from chalicelib.models.manifest import Manifest
from chalicelib.openapi.json_schema import (
    TEXT,
    Schema,
    array_schema,
    nullable,
    object_schema,
    ref,
    tuple_schema,
)
from chalicelib.openapi.public_manifest import lists_all_categories, public_features

_JSON_TYPES = {
    "numeric": "number",
    "integer": "integer",
    "boolean": "boolean",
    "categorical": "string",
}
_DIGITS = "[0-9]{1,15}"
_NUMBER_AS_TEXT = (
    rf"^[ ]*[+-]?({_DIGITS}(\.({_DIGITS})?)?|\.{_DIGITS})([eE][+-]?[0-9]{{1,2}})?[ ]*$"
)


def sample_schemas(manifest: Manifest, max_rows: int) -> dict[str, Schema]:
    """Describe samples, and the request and response of ``POST /classify``."""
    signature = manifest.signature
    features = feature_schemas(manifest)
    sample = ref("Sample"), ref("PositionalSample")
    return {
        "Sample": object_schema(features, required_names(signature))
        | {"description": "A value for each feature, by name."}
        | ({} if signature.has_required else {"not": {"additionalProperties": {"type": "null"}}}),
        "PositionalSample": tuple_schema(list(features.values()))
        | {"description": "A value for each feature, in the model's order."}
        | ({} if signature.has_required else {"contains": {"not": {"type": "null"}}}),
        "Batch": {
            "anyOf": [array_schema(schema, minItems=1) for schema in sample],
            "description": f"At most {max_rows:,} samples, all by name or all by position.",
        },
        "ClassifyRequest": object_schema(
            {
                "data": {"anyOf": [*sample, ref("Batch"), *_scalar_schemas(manifest)]},
                "probabilities": {
                    "type": "boolean",
                    "default": False,
                    **({} if signature.has_probabilities else {"const": False}),
                },
            },
            required=["data"],
        ),
        **_response_schemas(signature),
    }


def _response_schemas(signature: Signature) -> dict[str, Schema]:
    label = label_schema(signature)
    number: Schema = {"type": "number", "minimum": 0, "maximum": 1}
    probability = nullable(number) if signature.allows_nan else number
    probabilities = ref("Probabilities")
    return {
        "Probabilities": object_schema(dict.fromkeys(signature.classes, probability)),
        "SampleResponse": object_schema(
            {"prediction": label, "probabilities": probabilities}, required=["prediction"]
        ),
        "BatchResponse": object_schema(
            {"predictions": array_schema(label), "probabilities": array_schema(probabilities)},
            required=["predictions"],
        ),
        "ClassifyResponse": {"oneOf": [ref("SampleResponse"), ref("BatchResponse")]},
    }


def label_schema(signature: Signature) -> Schema:
    """Describe a label: one of the classes."""
    return TEXT | {"enum": list(signature.classes)}


def feature_schemas(manifest: Manifest) -> dict[str, Schema]:
    """Describe each feature by its name, in the model's order."""
    largest = manifest.signature.largest_number
    return {f["name"]: _feature_schema(f, largest) for f in public_features(manifest)}


def required_names(signature: Signature) -> list[str]:
    """Return the names of the required features."""
    return [feature.name for feature in signature.features if feature.required]


def _feature_schema(feature: Mapping[str, Any], largest: float) -> Schema:
    """Describe a feature's values; its range in the training data is a note, not a limit."""
    schema = _value_schema(feature, largest)
    notes = []
    if "min" in feature:
        low, high, median = feature["min"], feature["max"], feature["median"]
        notes.append(f"Most of the training data is from {low} to {high}, median {median}.")
        schema["x-range"] = {"min": low, "max": high, "median": median}
    if feature.get("unknown_categories") == "accepted":
        notes.append("Any text is accepted.")
    elif "other_categories" in feature:
        notes.append("Only known categories are accepted; rare ones are not listed.")
        schema["x-categories"] = feature["categories"]
    if "private" in feature:
        notes.append("Private: its values are not described.")
    if not feature["required"]:
        notes.append("May be absent or null.")
        schema = nullable(schema)
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    examples = {"examples": [feature["example"]]} if "example" in feature else {}
    return schema | {"description": " ".join(notes), **examples}


def _value_schema(feature: Mapping[str, Any], largest: float) -> Schema:
    """Describe the values of a feature that are not missing."""
    schema: Schema = {"type": _JSON_TYPES[feature["kind"]]}
    if schema["type"] == "number":
        schema |= {"minimum": -largest, "maximum": largest}
    elif schema["type"] == "integer":
        schema |= {"minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER}
    if lists_all_categories(feature):
        schema["enum"] = [*feature["categories"]]
    return schema


def _scalar_schemas(manifest: Manifest) -> list[Schema]:
    """Describe the first feature's value alone, if no other feature is required."""
    first, *others = manifest.signature.features
    if first.kind == "boolean" or any(feature.required for feature in others):
        return []
    feature = public_features(manifest)[0]
    value = _value_schema(feature, manifest.signature.largest_number)
    if first.kind == "categorical":
        return [value]
    return [value, {"type": "string", "pattern": _NUMBER_AS_TEXT}]
