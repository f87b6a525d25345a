"""What the Open Inference Protocol is answered: the labels as tensors, and what the model takes.

The format: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from chalicelib.classification import probability_rows
from chalicelib.manifest import Manifest
from chalicelib.model import Prediction
from chalicelib.signature import Feature

LABELS = "predict"
PROBABILITIES = "predict_proba"

# The name of the one input of a model that takes a matrix; a request may name it as it likes.
MATRIX = "input"

_DATATYPE_OF_KIND = {"numeric": "FP64", "integer": "INT64", "boolean": "BOOL"}
_PLATFORMS = {"onnx": "onnxruntime_onnx", "sklearn": "sklearn"}


def infer_response(
    prediction: Prediction, manifest: Manifest, *, outputs: list[str], request_id: str | None
) -> dict[str, Any]:
    """Answer a request for inference.

    Parameters
    ----------
    prediction : Prediction
        The answer.
    manifest : Manifest
        What answered.
    outputs : list of str
        Which of `LABELS` and `PROBABILITIES` to answer, in order.
    request_id : str or None
        What the client calls its request.

    Returns
    -------
    dict
    """
    rows = len(prediction.labels)
    tensors = []
    for name in outputs:
        if name == LABELS:
            tensor = {"shape": [rows], "datatype": "BYTES", "data": prediction.labels}
        else:
            probabilities = probability_rows(prediction, manifest.signature)
            shape = [rows, len(manifest.signature.classes)]
            data = list(chain.from_iterable(probabilities))
            tensor = {"shape": shape, "datatype": "FP64", "data": data}
        tensors.append({"name": name, **tensor})
    answer: dict[str, Any] = {"model_name": manifest.name, "model_version": manifest.version}
    if request_id is not None:
        answer["id"] = request_id
    return answer | {"outputs": tensors}


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
