"""What the Open Inference Protocol is answered: the labels as tensors, and what the model takes.

The format: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.models.predict import probability_rows
from chalicelib.runtimes.base import Prediction

LABELS = "predict"
PROBABILITIES = "predict_proba"


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
