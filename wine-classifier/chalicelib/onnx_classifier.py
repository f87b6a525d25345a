"""Runs a classifier that was exported to ONNX, with ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.errors import InvalidArtifact
from chalicelib.model import Prediction
from chalicelib.onnx_runtime import OnnxRuntimeError, Session

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# The names that training gives the graph's input and outputs.
INPUT = "samples"
LABEL = "label"
PROBABILITIES = "probabilities"


class OnnxClassifier:
    """A classifier in ONNX.

    Parameters
    ----------
    model : bytes
        An ONNX file, whose input is `INPUT` and whose outputs are `LABEL` and `PROBABILITIES`.

    Raises
    ------
    InvalidArtifact
        If ONNX Runtime cannot load it.
    """

    def __init__(self, model: bytes) -> None:
        try:
            self._session = Session(model)
        except OnnxRuntimeError as error:
            raise InvalidArtifact("ONNX Runtime cannot load the model.") from error

    def predict(self, matrix: npt.NDArray[np.float64]) -> Prediction:
        """Classify samples.

        Parameters
        ----------
        matrix : numpy.ndarray of float64
            Shape (samples, features), NaN where an optional value is missing.

        Returns
        -------
        Prediction
        """
        labels, probabilities = self._session.run((LABEL, PROBABILITIES), INPUT, matrix)
        if isinstance(probabilities, list):
            raise InvalidArtifact("The model's probabilities are text.")
        return Prediction([str(label) for label in labels], probabilities)
