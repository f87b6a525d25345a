"""The interface of a runtime."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

from chalicelib.inputs.samples import Samples
from chalicelib.named_tuple import NamedTuple


class Prediction(NamedTuple):
    """The labels and probabilities of some samples.

    Parameters
    ----------
    labels : list of str
        Shape (samples,).
    probabilities : array of float32 or float64, or None
        Shape (samples, classes), flat in row order, classes in the order of the signature; None
        if the classifier has none. Not finite where a sample's values overflow the arithmetic;
        the label of such a sample is meaningless.
    out_of_range : list of str
        Of a single sample, the features whose values are unlike the training data.
    """

    labels: list[str]
    probabilities: array[float] | None
    out_of_range: Sequence[str] = ()


class Classifier(Protocol):
    """A loaded graph or estimator."""

    @property
    def runtime(self) -> str:
        """The library that computes the predictions, and its version."""

    def check_cost(self, samples: Samples) -> None:
        """Raise `BodyTooLarge` if samples would take too long for one request."""

    def predict(self, samples: Samples) -> Prediction:
        """Classify samples that fit the model's signature."""
