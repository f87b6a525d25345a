"""Runs a classifier that was exported to ONNX, with ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnxruntime

from chalicelib.errors import InvalidArtifact
from chalicelib.model import Prediction
from chalicelib.samples import Samples

if TYPE_CHECKING:
    import numpy.typing as npt

# The names that training gives the graph's inputs and outputs; it has those that it needs.
NUMBERS = "samples"
TEXTS = "texts"
LABEL = "label"
PROBABILITIES = "probabilities"

_FATAL = 4  # ONNX Runtime raises its errors; its own log would only print them a second time


_REASON_CHARACTERS = 200


class OnnxClassifier:
    """A classifier in ONNX.

    Parameters
    ----------
    model : bytes
        An ONNX file, whose inputs are `NUMBERS` or `TEXTS` or both and whose outputs are `LABEL`
        and, if it gives some, `PROBABILITIES`.

    Raises
    ------
    InvalidArtifact
        If ONNX Runtime cannot load it.
    """

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own errors share no base but Exception
            reason = str(error).partition("\n")[0][:_REASON_CHARACTERS]
            raise InvalidArtifact(f"ONNX Runtime cannot load the model: {reason}.") from error
        self._inputs = {given.name for given in self._session.get_inputs()}
        self._outputs = [output.name for output in self._session.get_outputs()]
        if not self._inputs <= {NUMBERS, TEXTS} or self._outputs[:1] != [LABEL]:
            raise InvalidArtifact("The model's inputs or outputs are not those of a classifier.")

    def predict(self, samples: Samples) -> Prediction:
        """Classify samples.

        Parameters
        ----------
        samples : Samples
            The samples; a missing text is given to the graph as an empty one.

        Returns
        -------
        Prediction
        """
        given: dict[str, npt.NDArray[Any]] = {}
        if NUMBERS in self._inputs:
            given[NUMBERS] = samples.numbers
        if TEXTS in self._inputs:
            given[TEXTS] = samples.texts_or("")
        labels, *probabilities = self._session.run(self._outputs, given)
        return Prediction(
            [str(label) for label in labels.tolist()], probabilities[0] if probabilities else None
        )
