"""Classifiers in ONNX, computed by ONNX Runtime."""

from __future__ import annotations

from array import array

from chalicelib.errors import InvalidArtifact
from chalicelib.inputs.samples import Samples
from chalicelib.runtimes.base import Prediction
from chalicelib.runtimes.onnx_capi import OnnxRuntimeError
from chalicelib.runtimes.onnx_session import Session

# The graph has the inputs that its features need, and probabilities only if the estimator has them.
NUMBERS_INPUT = "samples"
TEXTS_INPUT = "texts"
LABEL_OUTPUT = "label"
PROBABILITIES_OUTPUT = "probabilities"

_REASON_CHARACTERS = 200


class OnnxClassifier:
    """An ONNX classifier; raises `InvalidArtifact` if ONNX Runtime cannot load the model."""

    def __init__(self, model: bytes) -> None:
        try:
            self._session = Session(model)
        except ImportError as error:
            raise InvalidArtifact(
                "The model needs ONNX Runtime, which this function was packaged without: package it"
                " with RUNTIME=onnx."
            ) from error
        except OnnxRuntimeError as error:
            reason = str(error).partition("\n")[0][:_REASON_CHARACTERS]
            raise InvalidArtifact(f"ONNX Runtime cannot load the model: {reason}.") from error
        inputs = {NUMBERS_INPUT, TEXTS_INPUT}
        outputs = [LABEL_OUTPUT], [LABEL_OUTPUT, PROBABILITIES_OUTPUT]
        if (
            not inputs.issuperset(self._session.input_names)
            or self._session.output_names not in outputs
        ):
            raise InvalidArtifact("The model's inputs or outputs are not those of a classifier.")

    def predict(self, samples: Samples) -> Prediction:
        """Classify samples; a missing text is an empty one in the graph."""
        inputs = [
            samples.numbers if name == NUMBERS_INPUT else samples.fill_missing("")
            for name in self._session.input_names
        ]
        labels, *rest = self._session.run(samples.rows, inputs)
        probabilities = rest[0] if rest else None
        assert probabilities is None or isinstance(probabilities, array)
        return Prediction(
            labels if isinstance(labels, list) else list(map(str, labels)), probabilities
        )
