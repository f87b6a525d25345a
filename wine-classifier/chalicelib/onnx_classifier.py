"""Runs a classifier that was exported to ONNX, with ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from chalicelib.errors import InvalidArtifact
from chalicelib.model import Prediction

if TYPE_CHECKING:
    import numpy.typing as npt

# The names that training gives the graph's input and outputs.
INPUT = "samples"
LABEL = "label"
PROBABILITIES = "probabilities"

_FATAL = 4  # ONNX Runtime raises its errors; its own log would only print them a second time


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
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own errors share no base but Exception
            raise InvalidArtifact(
                f"ONNX Runtime cannot load the model: {type(error).__name__}."
            ) from error

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
        labels, probabilities = self._session.run((LABEL, PROBABILITIES), {INPUT: matrix})
        return Prediction([str(label) for label in labels.tolist()], probabilities)
