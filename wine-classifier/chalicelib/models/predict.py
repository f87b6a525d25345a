"""Predict: from a request's samples to labels and probabilities."""

from __future__ import annotations

from array import array
from time import perf_counter
from typing import Any

from chalicelib.errors import InvalidRequest, Problem
from chalicelib.inputs.numbers import invalid_indices
from chalicelib.inputs.problems import Locate, Problems
from chalicelib.inputs.samples import Samples, read_samples
from chalicelib.inputs.signature import LARGEST_NUMBER, Signature
from chalicelib.log import log_event
from chalicelib.models.model import Model
from chalicelib.models.training_range import find_out_of_range
from chalicelib.record import current_record
from chalicelib.runtimes.base import Prediction


def predict(
    data: object, model: Model, locate: Locate, *, max_rows: int
) -> tuple[Prediction, bool]:
    """Parse samples and classify them.

    Parameters
    ----------
    data : object
        Samples, parsed, or as `chalicelib.inputs.samples.read_samples` parses them.
    model : Model
    locate : Locate
        Returns the path of a value in the request, for problems.
    max_rows : int
        Maximum number of samples.

    Returns
    -------
    prediction : Prediction
        With finite probabilities, unless scikit-learn itself returns NaN for some samples.
    is_batch : bool
        False if the request holds one sample that is not in a list.

    Raises
    ------
    InvalidRequest
        If the samples do not fit the model.
    BodyTooLarge
        If there are too many samples, or their texts are too long.
    """
    signature = model.manifest.signature
    if isinstance(data, Samples):
        samples = data
    else:
        samples = read_samples(data, signature, locate, max_rows=max_rows)
    model.classifier.check_cost(samples)
    record = current_record()
    record.parsed = perf_counter()
    try:
        prediction = model.classifier.predict(samples)
    except Exception as error:  # the model passed its golden samples, but fails on these
        log_event("prediction failed", request_id=record.request_id, error=type(error).__name__)
        problem = Problem(locate(None, None), "has values that the model cannot compute")
        raise InvalidRequest([problem], count=1) from error
    record.predicted = perf_counter()
    if prediction.probabilities is not None and not signature.allows_nan:
        _reject_overflow(prediction.probabilities, len(signature.classes), samples, locate)
    if samples.rows == 1:
        out_of_range = find_out_of_range(samples, model.manifest)
        labels, probabilities, _, class_indices = prediction
        prediction = Prediction(labels, probabilities, out_of_range, class_indices)
    record.observed = samples, prediction, model.manifest
    return prediction, samples.is_batch


def probability_rows(prediction: Prediction, signature: Signature) -> list[list[float | None]]:
    """Return probabilities of shape (samples, classes), with None for NaN, which JSON lacks."""
    assert prediction.probabilities is not None  # the model has probabilities
    values: list[Any] = prediction.probabilities.tolist()
    if signature.allows_nan:
        values = [p if p == p else None for p in values]
    classes = len(signature.classes)
    return [values[start : start + classes] for start in range(0, len(values), classes)]


def _reject_overflow(
    probabilities: array[float], classes: int, samples: Samples, locate: Locate
) -> None:
    indices = invalid_indices(probabilities, LARGEST_NUMBER)
    if not indices:
        return
    problems = Problems()
    for row in sorted({index // classes for index in indices}):
        path = locate(row if samples.is_batch else None, None)
        problems.add(path, "has values too large for the model")
    problems.raise_if_any()
