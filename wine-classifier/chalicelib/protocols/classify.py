"""The body of ``POST /classify``: bytes in, what was asked for out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.errors import InvalidRequest, Problem
from chalicelib.inputs.problems import Problems
from chalicelib.inputs.suggestions import did_you_mean, shortened
from chalicelib.models.model import Model
from chalicelib.models.predict import predict, probability_rows
from chalicelib.rest.body import read_json

_FIELDS = ("data", "probabilities")


class ClassifyRequest(NamedTuple):
    """What a client asks for.

    Parameters
    ----------
    data : object
        The samples as they were sent; what they may be is for the model's signature to say.
    probabilities : bool
        Whether the answer shall hold the probability of each class.
    """

    data: object
    probabilities: bool = False


def read_classify_request(body: bytes | str, headers: Mapping[str, str]) -> ClassifyRequest:
    """Read a request for a classification.

    Parameters
    ----------
    body : bytes or str
        The body as it came.
    headers : mapping of str to str
        The request's headers; found whatever their case.

    Returns
    -------
    ClassifyRequest

    Raises
    ------
    UnsupportedMediaType
        If the body is not sent as plain JSON in UTF-8.
    BodyTooLarge
        If it is over Lambda's limit.
    MalformedBody
        If it is not JSON, or an object in it has a name twice.
    InvalidRequest
        If it is JSON of another form.
    """
    document = read_json(body, headers)
    problems = Problems()
    if not isinstance(document, dict):
        problems.add("", 'The body must be an object, as in {"data": ...}')
        document = {}
    else:
        for name in document:
            if name not in _FIELDS:
                hint = "" if problems.list_is_full() else did_you_mean(name, _FIELDS)
                problems.add(shortened(name), f"is not a field of a request{hint}")
        if "data" not in document:
            problems.add("data", "is required")
    if not isinstance(document.get("probabilities", False), bool):
        problems.add("probabilities", "must be true or false")
    problems.raise_if_any()
    return ClassifyRequest(**document)


def classify(request: ClassifyRequest, model: Model, *, max_rows: int) -> dict[str, Any]:
    """Answer a request.

    Parameters
    ----------
    request : ClassifyRequest
        What is asked for.
    model : Model
        What answers.
    max_rows : int
        The most samples that one request may hold.

    Returns
    -------
    dict
        ``prediction`` for one sample or ``predictions`` for a batch and, if asked for,
        ``probabilities``: for each sample an object with a probability for each class.

    Raises
    ------
    InvalidRequest
        If the model does not take these samples.
    BodyTooLarge
        If there are more than `max_rows` of them.
    """
    signature = model.manifest.signature
    if request.probabilities and not signature.has_probabilities:
        raise InvalidRequest([Problem("probabilities", "are not given by this model")], count=1)
    prediction, is_batch = predict(request.data, model, max_rows=max_rows)
    labels = prediction.labels
    answer: dict[str, Any] = {"predictions": labels} if is_batch else {"prediction": labels[0]}
    if request.probabilities:
        rows = probability_rows(prediction, signature)
        by_class = [dict(zip(signature.classes, row, strict=True)) for row in rows]
        answer["probabilities"] = by_class if is_batch else by_class[0]
    return answer
