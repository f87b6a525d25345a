"""The schema of samples as CSV, in the description of the API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.openapi.json_schema import Schema, closed, fixed_list, ref
from chalicelib.openapi.sample_schemas import feature_schemas, required_names
from chalicelib.protocols.invocations.csv_format import write_csv

_CELLS = {
    "numeric": r"-?[0-9]{1,17}(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,2})?",
    "integer": "-?[0-9]{1,15}",
    "boolean": "([Tt]rue|[Ff]alse)",
    "categorical": "[a-z]{1,9}",
}
_SPECIAL = re.compile(r"[.*+?^${}()|\[\]\\]")


def csv_schema(manifest: Manifest) -> Schema:
    """Describe lines by position; under a header they may be others.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.

    Returns
    -------
    dict
    """
    features = manifest.document["signature"]["features"]
    line = ",".join(
        # A line must hold something: a comma will do, but not if there is one feature alone.
        _cell(feature) if feature["required"] or len(features) == 1 else f"({_cell(feature)})?"
        for feature in features
    )
    return {
        "type": "string",
        "description": "A line for each sample, with or without a header of feature names.",
        "pattern": f"^{line}(\\n{line})*\\n?$",
    }


def _cell(feature: Mapping[str, Any]) -> str:
    if feature.get("unknown_categories") != "rejected":
        return _CELLS[feature["kind"]]
    written = [write_csv([[c]]).removesuffix("\n") for c in feature["categories"] if c != ""]
    return "(" + "|".join(_SPECIAL.sub(r"\\\g<0>", cell) for cell in written) + ")"


def invocation_schemas(manifest: Manifest) -> dict[str, Schema]:
    """Describe ``POST /invocations`` and its answer.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.

    Returns
    -------
    dict
    """
    signature = manifest.signature
    rows = {
        "type": "array",
        "items": ref("PositionalSample"),
        "minItems": 1,
    }
    split = closed(
        {
            "columns": fixed_list([{"const": name} for name in signature.names])
            | {"description": "In any order, which is that of the values in each row."},
            "data": rows,
        },
    )
    records = {"type": "array", "items": ref("Sample"), "minItems": 1}
    samples = {"anyOf": [ref("Batch"), ref("PositionalSample")]}
    forms = {
        "dataframe_split": split,
        "dataframe_records": records,
        "instances": samples,
        "inputs": {"anyOf": [*samples["anyOf"], *_columns(manifest)]},
    }
    labels = {"type": "array", "items": {"enum": list(manifest.signature.classes)}}
    return {
        "Invocation": {"anyOf": [*(closed({name: form}) for name, form in forms.items()), samples]},
        "InvocationAnswer": {"anyOf": [closed({"predictions": labels}), labels]},
    }


def _columns(manifest: Manifest) -> list[Schema]:
    """Describe lists for features: JSON Schema cannot say that they must be of one length."""
    features = manifest.signature.features
    required = required_names(manifest.signature)
    of_one_sample = {
        "type": "object",
        "description": "A list for each feature; all of one length, here of one sample.",
        "properties": {
            feature.name: {"type": "array", "items": schema, "minItems": 1, "maxItems": 1}
            for feature, schema in zip(features, feature_schemas(manifest), strict=True)
        },
        "required": required,
        "minProperties": 1,
        "additionalProperties": False,
    }
    if len(required) > 1:
        return [of_one_sample]
    of_one_feature = of_one_sample | {
        "description": "A list for one feature.",
        "properties": {
            feature.name: {"type": "array", "items": schema, "minItems": 1}
            for feature, schema in zip(features, feature_schemas(manifest), strict=True)
        },
        "maxProperties": 1,
    }
    return [of_one_sample, of_one_feature]
