"""Model metadata: the names, datatypes and shapes of inputs and outputs."""

from __future__ import annotations

from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.protocols.open_inference.response import LABELS, PROBABILITIES

# The input of a model that takes a matrix; requests may use another name.
MATRIX = "input"

_DATATYPES = {"numeric": "FP64", "integer": "INT64", "boolean": "BOOL", "categorical": "BYTES"}
_PLATFORMS = {"onnx": "onnxruntime_onnx", "sklearn": "sklearn"}


def model_metadata(manifest: Manifest) -> dict[str, Any]:
    """Return the metadata: one matrix if every feature is numeric, else an input per feature."""
    signature = manifest.signature
    if signature.takes_only_numeric:
        inputs = [{"name": MATRIX, "datatype": "FP64", "shape": [-1, len(signature.features)]}]
    else:
        inputs = [
            {"name": feature.name, "datatype": _DATATYPES[feature.kind], "shape": [-1, 1]}
            for feature in signature.features
        ]
    outputs = [{"name": LABELS, "datatype": "BYTES", "shape": [-1]}]
    if signature.has_probabilities:
        shape = [-1, len(signature.classes)]
        outputs.append({"name": PROBABILITIES, "datatype": "FP64", "shape": shape})
    return {
        "name": manifest.name,
        "versions": [manifest.version],
        "platform": _PLATFORMS.get(manifest.runtime, manifest.runtime),
        "inputs": inputs,
        "outputs": outputs,
    }
