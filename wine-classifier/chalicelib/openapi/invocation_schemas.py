"""The schemas of ``POST /invocations`` in the OpenAPI document: JSON and CSV."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.openapi.json_schema import Schema, array_schema, object_schema, ref, tuple_schema
from chalicelib.openapi.public_manifest import lists_all_categories, public_features
from chalicelib.openapi.sample_schemas import feature_schemas, label_schema, required_names
from chalicelib.protocols.invocations.csv_format import write_csv

_CELL_PATTERNS = {
    "numeric": r"-?[0-9]{1,17}(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,2})?",
    "integer": "-?[0-9]{1,15}",
    "boolean": "([Tt]rue|[Ff]alse)",
    "categorical": "[a-z]{1,9}",
}
_NULL = {"type": "null"}

# Not re.escape: JSON Schema's regular expressions are ECMA-262's, with fewer escapes.
_SPECIAL_CHARACTER = re.compile(r"[.*+?^${}()|\[\]\\]")


def invocation_schemas(manifest: Manifest) -> dict[str, Schema]:
    """Describe the JSON request and response of ``POST /invocations``."""
    columns = tuple_schema([{"const": name} for name in manifest.signature.names])
    columns |= {"description": "The order of the values in each row; any order is accepted."}
    rows = array_schema(ref("PositionalSample"), minItems=1)
    samples = [ref("Batch"), ref("PositionalSample")]
    formats = {
        "dataframe_split": object_schema({"columns": columns, "data": rows}),
        "dataframe_records": array_schema(ref("Sample"), minItems=1),
        "instances": {"anyOf": samples},
        "inputs": {"anyOf": [*samples, *_column_schemas(manifest)]},
    }
    objects = [object_schema({name: schema}) for name, schema in formats.items()]
    labels = array_schema(label_schema(manifest.signature))
    return {
        "Invocation": {"anyOf": [*objects, {"anyOf": samples}]},
        "InvocationResponse": {"anyOf": [object_schema({"predictions": labels}), labels]},
    }


def _column_schemas(manifest: Manifest) -> list[Schema]:
    """Describe a list for each feature.

    JSON Schema cannot require lists of equal length, so these are one sample or one feature.
    """
    required = required_names(manifest.signature)
    features = feature_schemas(manifest)
    one_sample = _columns_schema(features, required, maxItems=1) | {
        "description": "A list for each feature; all of one length, here of one sample.",
    }
    if not required:  # but a sample needs a value
        one_sample["not"] = {"additionalProperties": {"items": _NULL}}
    if len(required) > 1:
        return [one_sample]
    values = {name: {"allOf": [schema, {"not": _NULL}]} for name, schema in features.items()}
    one_feature = _columns_schema(values, required) | {
        "description": "A list for one feature.",
        "maxProperties": 1,
    }
    return [one_sample, one_feature]


def _columns_schema(features: dict[str, Schema], required: list[str], **limits: int) -> Schema:
    columns = {
        name: array_schema(schema, minItems=1, **limits) for name, schema in features.items()
    }
    return object_schema(columns, required) | {"minProperties": 1}


def csv_schema(manifest: Manifest) -> Schema:
    """Describe rows by position; a header may put the columns in another order."""
    features = public_features(manifest)
    row = ",".join(
        # An empty line is no row, so a model of one feature needs a value in each line.
        _cell_pattern(feature)
        if feature["required"] or len(features) == 1
        else f"({_cell_pattern(feature)})?"
        for feature in features
    )
    schema: Schema = {
        "type": "string",
        "description": "A line for each sample, with or without a header of feature names.",
        "pattern": f"^{row}(\\n{row})*\\n?$",
    }
    if not manifest.signature.has_required and len(features) > 1:
        schema["not"] = {"pattern": r"(^|\n),+(\n|$)"}  # a sample needs a value
    return schema


def _cell_pattern(feature: Mapping[str, Any]) -> str:
    if not lists_all_categories(feature):
        return _CELL_PATTERNS[feature["kind"]]
    cells = [write_csv([[c]]).removesuffix("\n") for c in feature["categories"] if c != ""]
    return "(" + "|".join(_SPECIAL_CHARACTER.sub(r"\\\g<0>", cell) for cell in cells) + ")"
