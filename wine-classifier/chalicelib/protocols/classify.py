"""``POST /classify``: request and response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.errors import InvalidRequest, Problem
from chalicelib.inputs.problems import Problems, locate_in_rows
from chalicelib.inputs.suggestions import shorten_name
from chalicelib.models.model import Model
from chalicelib.models.predict import predict, probability_rows
from chalicelib.named_tuple import NamedTuple
from chalicelib.rest.body import read_json
from chalicelib.rest.responses import check_label_size

_FIELDS = ("data", "probabilities")
_locate = locate_in_rows("data")


class ClassifyRequest(NamedTuple):
    """Samples, not parsed yet, and whether the response includes probabilities."""

    data: object
    probabilities: bool = False


def read_classify_request(body: bytes | str, headers: Mapping[str, str]) -> ClassifyRequest:
    """Parse the body; raises `InvalidRequest` and the errors of `read_json`."""
    document = read_json(body, headers)
    problems = Problems()
    if not isinstance(document, dict):
        problems.add("", 'The body must be an object, as in {"data": ...}')
        document = {}
    else:
        for name in document:
            if name not in _FIELDS:
                problem = "is not a field of a request"
                problems.add_unknown(shorten_name(name), name, _FIELDS, problem)
        if "data" not in document:
            problems.add("data", "is required")
    if not isinstance(document.get("probabilities", False), bool):
        problems.add("probabilities", "must be true or false")
    problems.raise_if_any()
    return ClassifyRequest(**document)


def classify(
    request: ClassifyRequest, model: Model, *, max_rows: int
) -> tuple[dict[str, Any], Sequence[str]]:
    """Return the response to a request.

    Returns
    -------
    response : dict
        ``prediction`` for one sample, ``predictions`` for a batch; with ``probabilities`` if
        requested, an object with the probability of each class for each sample.
    out_of_range : list of str
        As of `chalicelib.runtimes.base.Prediction`.

    Raises
    ------
    InvalidRequest
        If the samples do not fit the model.
    BodyTooLarge
        If there are too many samples, or the response would be too large.
    """
    signature = model.manifest.signature
    if request.probabilities and not signature.has_probabilities:
        problem = Problem("probabilities", "are not available: the model has none")
        raise InvalidRequest([problem], count=1)
    prediction, is_batch = predict(request.data, model, _locate, max_rows=max_rows)
    labels = prediction.labels
    others = sum(map(len, signature.classes)) if request.probabilities else 0
    check_label_size(labels, signature, others)
    response: dict[str, Any] = {"predictions": labels} if is_batch else {"prediction": labels[0]}
    if request.probabilities:
        rows = probability_rows(prediction, signature)
        by_class = [dict(zip(signature.classes, row, strict=True)) for row in rows]
        response["probabilities"] = by_class if is_batch else by_class[0]
    return response, prediction.out_of_range
