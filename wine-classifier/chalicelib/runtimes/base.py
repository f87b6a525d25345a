"""What every runtime implements."""

from __future__ import annotations

from array import array
from typing import NamedTuple, Protocol

from chalicelib.inputs.samples import Samples


class Prediction(NamedTuple):
    """What a classifier says of some samples.

    Parameters
    ----------
    labels : list of str
        The predicted class of each sample.
    probabilities : array of float32 or float64, or None
        Of shape (samples, classes), sample by sample and in the order of the signature's classes;
        None if the classifier gives none. Not finite, and the label without a meaning, where a
        sample's values are so large that the arithmetic overflows.
    """

    labels: list[str]
    probabilities: array[float] | None


class Classifier(Protocol):
    """What runs a model's graph or estimator."""

    def predict(self, samples: Samples) -> Prediction:
        """Classify samples that fit the model's signature.

        Parameters
        ----------
        samples : Samples
            The samples.

        Returns
        -------
        Prediction
        """
