"""A model that may answer: an artifact that was whole, could be run and has proved itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from chalicelib.artifact import read_manifest
from chalicelib.errors import InvalidArtifact
from chalicelib.manifest import Manifest

if TYPE_CHECKING:
    import numpy.typing as npt

# How far a probability may lie from the one that scikit-learn gave.
PROBABILITY_TOLERANCE = 1e-5


class Prediction(NamedTuple):
    """What a classifier says of some samples.

    Parameters
    ----------
    labels : list of str
        The predicted class of each sample.
    probabilities : numpy.ndarray of float32 or float64
        Shape (samples, classes), in the order of the signature's classes. Not finite, and the
        label without a meaning, where a sample's values are so large that the arithmetic overflows.
    """

    labels: list[str]
    probabilities: npt.NDArray[np.floating]


class Classifier(Protocol):
    """What runs a model's graph or estimator."""

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


class Model(NamedTuple):
    """A model that may answer.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.
    classifier : Classifier
        What computes its answers.
    """

    manifest: Manifest
    classifier: Classifier


def load_model(artifact: bytes, signing_key: str | None = None) -> Model:
    """Make a model of an artifact and let it prove itself.

    Parameters
    ----------
    artifact : bytes
        The whole file, as it was published.
    signing_key : str, optional
        What it must be signed with.

    Returns
    -------
    Model

    Raises
    ------
    InvalidArtifact
        If the file is not whole, is not signed with the key, cannot be run by this code, or does
        not answer its golden samples as scikit-learn did.
    """
    manifest = Manifest.from_document(read_manifest(artifact, signing_key))
    if manifest.runtime != "onnx":
        raise InvalidArtifact(f"This code has no runtime {manifest.runtime!r}, only 'onnx'.")
    from chalicelib.onnx_classifier import OnnxClassifier  # imported when a model needs it

    model = Model(manifest, OnnxClassifier(artifact))
    _prove(model)
    return model


def _prove(model: Model) -> None:
    signature, golden = model.manifest.signature, model.manifest.golden_samples
    matrix = np.array(golden.samples, dtype=np.float64)
    expected = np.array(golden.probabilities, dtype=np.float64)
    count = len(golden.samples)
    if not count or matrix.shape != (count, len(signature.features)):
        raise InvalidArtifact("The manifest's golden samples do not fit its signature.")
    try:
        prediction = model.classifier.predict(matrix)
    except Exception as error:  # whatever it is, this graph does not answer as its manifest says
        raise InvalidArtifact(
            f"The model fails on its golden samples: {type(error).__name__}."
        ) from error
    as_recorded = (
        prediction.labels == golden.labels
        and prediction.probabilities.shape == expected.shape == (count, len(signature.classes))
        and np.allclose(prediction.probabilities, expected, rtol=0, atol=PROBABILITY_TOLERANCE)
    )
    if not as_recorded:
        raise InvalidArtifact("The model does not answer its golden samples as scikit-learn did.")
