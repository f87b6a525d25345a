"""Classifiers in ONNX, computed by ONNX Runtime."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from chalicelib.errors import InvalidArtifact
from chalicelib.inputs.samples import Samples
from chalicelib.inputs.signature import Signature
from chalicelib.runtimes.base import Prediction
from chalicelib.runtimes.onnx_capi import OnnxRuntimeError, ort_api
from chalicelib.runtimes.onnx_session import Session

# The graph's input: numbers, then encoded texts. Its outputs: the index of the predicted class,
# and probabilities if the estimator has them.
SAMPLES_INPUT = "samples"
CLASS_INDEX_OUTPUT = "class_index"
PROBABILITIES_OUTPUT = "probabilities"

# A batch is run in parts: encoded texts can be wide (one column per term), and so can what the
# graph computes in between (one column per category, or per sample that a neighbour may be).
MAX_ROWS_PER_RUN = 1_000
MAX_VALUES_PER_RUN = 500_000  # 4 MB
_REASON_CHARACTERS = 200


class OnnxClassifier:
    """An ONNX classifier.

    Parameters
    ----------
    model : bytes
        An ONNX file.
    signature : Signature
    text_encoders : sequence of mapping
        As in the manifest; see `chalicelib.inputs.text_encoding`.
    row_values : int, default=0
        The most values that the graph computes for a sample at once.
    is_trusted : bool, default=False
        Whether the audit is left out: a signed model was audited when it was published.

    Raises
    ------
    InvalidArtifact
        If the model is not one that this project exports, ONNX Runtime cannot load it, or it is
        not a classifier with this signature.
    """

    def __init__(
        self,
        model: bytes,
        signature: Signature,
        text_encoders: Sequence[Mapping[str, Any]] = (),
        *,
        row_values: int = 0,
        is_trusted: bool = False,
    ) -> None:
        if not is_trusted:
            from chalicelib.runtimes.onnx_audit import audit

            audit(model)
        try:
            self.session = Session(model)
        except ImportError as error:
            raise InvalidArtifact(
                "missing runtime",
                "The model needs ONNX Runtime, which this function was packaged without: package it"
                " with RUNTIME=onnx.",
            ) from error
        except OnnxRuntimeError as error:
            reason = str(error).partition("\n")[0][:_REASON_CHARACTERS]
            raise InvalidArtifact(
                "not loadable", f"ONNX Runtime cannot load the model: {reason}."
            ) from error
        outputs: dict[str, tuple[int, ...]] = {CLASS_INDEX_OUTPUT: ()}
        if signature.has_probabilities:
            outputs[PROBABILITIES_OUTPUT] = (len(signature.classes),)
        if (self.session.input_names, self.session.output_names, self.session.row_shapes) != (
            [SAMPLES_INPUT],
            list(outputs),
            list(outputs.values()),
        ):
            raise InvalidArtifact(
                "not loadable", "The model's inputs or outputs are not those of a classifier."
            )
        self._classes = signature.classes
        self._text_columns = {index: i for i, index in enumerate(signature.text_indices)}
        self.encoders = _make_encoders(text_encoders)
        widths: list[int] = [encoder.width for encoder in self.encoders]
        self.row_values = max(1, row_values, sum(widths))

    @property
    def runtime(self) -> str:
        """The library that computes the predictions, and its version."""
        return f"ONNX Runtime {ort_api().version}"

    def check_cost(self, samples: Samples) -> None:
        """Raise `BodyTooLarge` if the samples' texts take too long for one request."""
        if self.encoders:
            from chalicelib.inputs.text_encoding import check_cost

            check_cost(samples, self._text_columns, self.encoders)

    def predict(self, samples: Samples) -> Prediction:
        """Classify samples."""
        size = max(1, min(MAX_ROWS_PER_RUN, MAX_VALUES_PER_RUN // self.row_values))
        if not self._text_columns:
            return self._run(samples.rows, samples.numbers, size)
        if samples.rows <= size:
            return self._predict_texts(samples)
        starts = range(0, samples.rows, size)
        return _join([self._predict_texts(samples.part(start, size)) for start in starts])

    def _predict_texts(self, samples: Samples) -> Prediction:
        from chalicelib.inputs.text_encoding import encode_texts  # only models with text need it

        matrix = encode_texts(samples, self._text_columns, self.encoders)
        return self._run(samples.rows, matrix, samples.rows)

    def _run(self, rows: int, matrix: array[float], part_rows: int) -> Prediction:
        class_indices, *probabilities = self.session.run(rows, matrix, part_rows=part_rows)
        labels = [self._classes[index] for index in class_indices]
        return Prediction(
            labels, probabilities[0] if probabilities else None, class_indices=class_indices
        )


def _make_encoders(documents: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
    if not documents:
        return ()
    from chalicelib.inputs.text_encoding import make_encoders

    try:
        return make_encoders(documents)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidArtifact(
            "unreadable manifest", f"The text encoders cannot be read: {error!r}."
        ) from error


def _join(predictions: Sequence[Prediction]) -> Prediction:
    labels = list(chain.from_iterable(prediction.labels for prediction in predictions))
    first, *others = (prediction.probabilities for prediction in predictions)
    for probabilities in others:
        if first is not None and probabilities is not None:
            first.extend(probabilities)
    return Prediction(labels, first)
