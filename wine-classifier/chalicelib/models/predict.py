"""From a request and a model to an answer."""

from __future__ import annotations

from array import array
from math import isfinite
from typing import Any

from chalicelib.errors import InvalidRequest, Problem
from chalicelib.inputs.problems import Problems
from chalicelib.inputs.samples import Samples, read_samples
from chalicelib.inputs.signature import Signature
from chalicelib.log import log_event
from chalicelib.models.model import Model
from chalicelib.runtimes.base import Prediction


def predict(data: object, model: Model, *, max_rows: int) -> tuple[Prediction, bool]:
    """Read samples and classify them.

    Parameters
    ----------
    data : object
        The samples as they were sent; see `chalicelib.samples.read_samples`.
    model : Model
        What answers.
    max_rows : int
        The most samples that one request may hold.

    Returns
    -------
    prediction : Prediction
        With finite probabilities, unless scikit-learn itself may give others.
    is_batch : bool
        Whether the samples were sent as a batch.

    Raises
    ------
    InvalidRequest
        If the model does not take these samples.
    BodyTooLarge
        If there are more than `max_rows` of them.
    """
    signature = model.manifest.signature
    samples = read_samples(data, signature, max_rows=max_rows)
    prediction = _predict(model, samples)
    if prediction.probabilities is not None and not signature.allows_nan:
        _refuse_overflow(prediction.probabilities, signature, is_batch=samples.is_batch)
    return prediction, samples.is_batch


def probability_rows(prediction: Prediction, signature: Signature) -> list[list[float | None]]:
    """Give the probabilities of each sample as JSON can hold them.

    Parameters
    ----------
    prediction : Prediction
        Of a model that gives probabilities.
    signature : Signature
        The model's.

    Returns
    -------
    list of list of float or None
        Shape (samples, classes); None where scikit-learn itself gives NaN.
    """
    assert prediction.probabilities is not None  # refused where they were asked for
    values: list[Any] = prediction.probabilities.tolist()
    if signature.allows_nan:
        values = [p if p == p else None for p in values]
    classes = len(signature.classes)
    return [values[start : start + classes] for start in range(0, len(values), classes)]


def _predict(model: Model, samples: Samples) -> Prediction:
    try:
        return model.classifier.predict(samples)
    except Exception as error:  # a model that passed its golden samples, and fails on these
        log_event("prediction failed", error=type(error).__name__)
        problem = Problem("data", "holds values that the model refuses to compute with")
        raise InvalidRequest([problem], count=1) from error


def _refuse_overflow(probabilities: array[float], signature: Signature, *, is_batch: bool) -> None:
    if isfinite(sum(probabilities)):
        return
    problems = Problems()
    samples = {
        place // len(signature.classes) for place, p in enumerate(probabilities) if not isfinite(p)
    }
    for index in sorted(samples):
        at = f"data[{index}]" if is_batch else "data"
        problems.add(at, "holds values too large for the model to compute with")
    problems.raise_if_any()
