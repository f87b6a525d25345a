"""Model metadata in the Open Inference Protocol."""

from __future__ import annotations

from typing import Any

from chalicelib.inputs.signature import Feature
from chalicelib.models.manifest import Manifest
from chalicelib.protocols.open_inference.response import LABELS, PROBABILITIES

# The name of the one input of a model that takes a matrix; a request may name it as it likes.
MATRIX = "input"


_DATATYPE_OF_KIND = {"numeric": "FP64", "integer": "INT64", "boolean": "BOOL"}


_PLATFORMS = {"onnx": "onnxruntime_onnx", "sklearn": "sklearn"}


def model_metadata(manifest: Manifest) -> dict[str, Any]:
    """Describe a model in the protocol's words.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.

    Returns
    -------
    dict
        With a matrix as its input if every feature is a number, else an input for each feature.
    """
    signature = manifest.signature
    if signature.takes_only_numeric:
        inputs = [{"name": MATRIX, "datatype": "FP64", "shape": [-1, len(signature.features)]}]
    else:
        inputs = [
            {"name": feature.name, "datatype": _datatype(feature), "shape": [-1, 1]}
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


def _datatype(feature: Feature) -> str:
    return _DATATYPE_OF_KIND.get(feature.kind, "BYTES")
