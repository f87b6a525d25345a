"""The schema of samples as CSV, in the description of the API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.csv_body import write_csv
from chalicelib.json_schema import Schema
from chalicelib.manifest import Manifest

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
    if feature.get("unknown_categories") != "refused":
        return _CELLS[feature["kind"]]
    written = [write_csv([[c]]).removesuffix("\n") for c in feature["categories"] if c != ""]
    return "(" + "|".join(_SPECIAL.sub(r"\\\g<0>", cell) for cell in written) + ")"
