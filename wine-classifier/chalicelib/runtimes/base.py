"""The interface of a runtime."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from chalicelib.inputs.samples import Samples
from chalicelib.named_tuple import NamedTuple

_MAX_BYTE_CLASSES = 256  # whose index is one byte


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
    class_indices : array of int, or None
        The index of each sample's class in the signature, if the runtime has it.
    """

    labels: list[str]
    probabilities: array[float] | None
    out_of_range: Sequence[str] = ()
    class_indices: array[int] | None = None

    def count_labels(self, classes: Sequence[str]) -> dict[str, int]:
        """Count the samples of each class that is predicted, in the order in which they appear."""
        indices = self.class_indices
        if indices is None or len(classes) > _MAX_BYTE_CLASSES:
            return dict(Counter(self.labels))
        as_bytes = indices.tobytes()[:: indices.itemsize]  # little-endian
        found = [index for index in range(len(classes)) if index in as_bytes]
        return {classes[index]: as_bytes.count(index) for index in sorted(found, key=as_bytes.find)}


class Classifier(Protocol):
    """A loaded graph or estimator."""

    @property
    def runtime(self) -> str:
        """The library that computes the predictions, and its version."""

    def check_cost(self, samples: Samples) -> None:
        """Raise `BodyTooLarge` if samples would take too long for one request."""

    def predict(self, samples: Samples) -> Prediction:
        """Classify samples that fit the model's signature."""
