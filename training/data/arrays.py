"""Samples as NumPy arrays, for training; serving has no NumPy."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chalicelib.inputs.samples import Samples
from chalicelib.inputs.signature import Signature


class Arrays(NamedTuple):
    """Samples as two arrays.

    Parameters
    ----------
    numbers : numpy.ndarray of float64
        Shape (samples, features that are not text). NaN is a missing value; booleans are 0 and 1.
        Column after column in memory, as tables are read; what is taken from them is row after row.
    texts : numpy.ndarray of object
        Shape (samples, text features). None is a missing value.
    """

    numbers: npt.NDArray[np.float64]
    texts: npt.NDArray[np.object_]

    @classmethod
    def from_columns(
        cls, rows: int, numbers: list[npt.NDArray[np.float64]], texts: list[npt.NDArray[np.object_]]
    ) -> Arrays:
        """Join columns, each of shape (rows,); either list may be empty."""
        return cls(
            np.array(numbers).T if numbers else np.empty((rows, 0)),
            np.column_stack(texts) if texts else np.empty((rows, 0), dtype=np.object_),
        )

    @classmethod
    def concatenate(cls, parts: list[Arrays]) -> Arrays:
        """Join samples of one signature, row after row."""
        return cls(
            np.vstack([part.numbers for part in parts]), np.vstack([part.texts for part in parts])
        )

    def take(self, indices: list[int]) -> Arrays:
        """Copy the samples at these row indices."""
        return Arrays(np.ascontiguousarray(self.numbers[indices]), self.texts[indices])

    def slices(self, rows: int) -> Iterator[Arrays]:
        """Yield so many samples each, in order; the last may have fewer."""
        for start in range(0, len(self.numbers), rows):
            part = slice(start, start + rows)
            yield Arrays(np.ascontiguousarray(self.numbers[part]), self.texts[part])

    def to_samples(self) -> Samples:
        """Convert to the representation that serving uses."""
        numbers = array("d", self.numbers.tobytes())
        return Samples(len(self.numbers), numbers, self.texts.ravel().tolist())


def mask_values(samples: Arrays, mask: npt.NDArray[np.bool_], signature: Signature) -> Arrays:
    """Replace masked values with missing ones, except values of required features.

    Parameters
    ----------
    samples : Arrays
        The samples; not modified.
    mask : numpy.ndarray of bool
        Shape (samples, features), in the signature's order: True where the value is removed.
    signature : Signature
        The features, required or not.
    """
    mask = mask & [not feature.required for feature in signature.features]
    numbers, texts = samples.numbers.copy(), samples.texts.copy()
    numbers[mask[:, signature.number_indices]] = np.nan
    texts[mask[:, signature.text_indices]] = None
    return Arrays(numbers, texts)
