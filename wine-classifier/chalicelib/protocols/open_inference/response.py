"""The response to an inference request: labels and probabilities as tensors."""

from __future__ import annotations

from itertools import chain
from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.models.predict import probability_rows
from chalicelib.rest.responses import check_response_size
from chalicelib.runtimes.base import Prediction

LABELS = "predict"
PROBABILITIES = "predict_proba"


def infer_response(
    prediction: Prediction, manifest: Manifest, *, outputs: list[str], request_id: str | None
) -> dict[str, Any]:
    """Return the response.

    Parameters
    ----------
    prediction : Prediction
    manifest : Manifest
    outputs : list of str
        Requested outputs, `LABELS` or `PROBABILITIES`, in order.
    request_id : str or None
        Echoed in the response.
    """
    row_count = len(prediction.labels)
    check_response_size(sum(map(len, prediction.labels)))
    tensors = []
    for name in outputs:
        if name == LABELS:
            tensor = {"shape": [row_count], "datatype": "BYTES", "data": prediction.labels}
        else:
            rows = probability_rows(prediction, manifest.signature)
            shape = [row_count, len(manifest.signature.classes)]
            data = list(chain.from_iterable(rows))
            tensor = {"shape": shape, "datatype": "FP64", "data": data}
        tensors.append({"name": name, **tensor})
    response: dict[str, Any] = {"model_name": manifest.name, "model_version": manifest.version}
    if request_id is not None:
        response["id"] = request_id
    return response | {"outputs": tensors}
