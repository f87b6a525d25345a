"""The response to an inference request: labels and probabilities as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.models.predict import probability_rows
from chalicelib.protocols.open_inference import BINARY_DATA_SIZE
from chalicelib.rest.responses import check_label_size
from chalicelib.runtimes.base import Prediction

LABELS = "predict"
PROBABILITIES = "predict_proba"


def infer_response(
    prediction: Prediction,
    manifest: Manifest,
    *,
    outputs: Mapping[str, bool],
    request_id: str | None,
) -> tuple[dict[str, Any], bytes]:
    """Return the response.

    Parameters
    ----------
    prediction : Prediction
    manifest : Manifest
    outputs : mapping of str to bool
        Requested outputs, `LABELS` or `PROBABILITIES`, in order, and whether as bytes.
    request_id : str or None
        Echoed in the response.

    Returns
    -------
    response : dict
    data : bytes
        Of the outputs as bytes; empty if there are none.
    """
    check_label_size(prediction.labels, manifest.signature)
    tensors, parts = [], []
    for name, as_bytes in outputs.items():
        shape = [len(prediction.labels)]
        if name == PROBABILITIES:
            shape.append(len(manifest.signature.classes))
        datatype = "BYTES" if name == LABELS else "FP64"
        tensor: dict[str, Any] = {"name": name, "shape": shape, "datatype": datatype}
        if as_bytes:
            parts.append(_to_bytes(name, prediction, manifest.signature.classes))
            tensor["parameters"] = {BINARY_DATA_SIZE: len(parts[-1])}
        elif name == LABELS:
            tensor["data"] = prediction.labels
        else:
            rows = probability_rows(prediction, manifest.signature)
            tensor["data"] = list(chain.from_iterable(rows))
        tensors.append(tensor)
    response: dict[str, Any] = {"model_name": manifest.name, "model_version": manifest.version}
    if request_id is not None:
        response["id"] = request_id
    return response | {"outputs": tensors}, b"".join(parts)


def _to_bytes(name: str, prediction: Prediction, classes: Sequence[str]) -> bytes:
    if name == LABELS:
        from chalicelib.protocols.open_inference.binary import write_labels

        return write_labels(prediction.labels, classes)
    assert prediction.probabilities is not None  # the model has probabilities
    return prediction.probabilities.tobytes()
