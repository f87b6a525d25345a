"""Samples as NumPy's arrays, which training computes with; serving does without NumPy."""

from __future__ import annotations

from array import array
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chalicelib.inputs.samples import Samples
from chalicelib.inputs.signature import Signature


class Arrays(NamedTuple):
    """Samples in two arrays.

    Parameters
    ----------
    numbers : numpy.ndarray of float64
        Shape (samples, features that are not text), NaN where a value is missing; 1 is true.
    texts : numpy.ndarray of object
        Shape (samples, features that are text), None where a value is missing.
    """

    numbers: npt.NDArray[np.float64]
    texts: npt.NDArray[np.object_]

    @classmethod
    def from_columns(
        cls, rows: int, numbers: list[npt.NDArray[np.float64]], texts: list[npt.NDArray[np.object_]]
    ) -> Arrays:
        """Put columns side by side.

        Parameters
        ----------
        rows : int
            How many samples there are.
        numbers, texts : list of numpy.ndarray
            The columns, each of shape (samples,); there may be none.

        Returns
        -------
        Arrays
        """
        return cls(
            np.column_stack(numbers) if numbers else np.empty((rows, 0)),
            np.column_stack(texts) if texts else np.empty((rows, 0), dtype=np.object_),
        )

    @classmethod
    def concatenate(cls, parts: list[Arrays]) -> Arrays:
        """Put samples one after the other.

        Parameters
        ----------
        parts : list of Arrays
            Of one signature.

        Returns
        -------
        Arrays
        """
        return cls(
            np.vstack([part.numbers for part in parts]), np.vstack([part.texts for part in parts])
        )

    def take(self, indices: list[int]) -> Arrays:
        """Take some of the samples.

        Parameters
        ----------
        indices : list of int
            Which.

        Returns
        -------
        Arrays
            A copy.
        """
        return Arrays(self.numbers[indices], self.texts[indices])

    def to_samples(self) -> Samples:
        """Give the samples as serving has them.

        Returns
        -------
        Samples
        """
        numbers = array("d", self.numbers.tobytes())
        return Samples(len(self.numbers), numbers, self.texts.ravel().tolist())


def mask_values(samples: Arrays, where: npt.NDArray[np.bool_], signature: Signature) -> Arrays:
    """Leave out values, where the estimator can do without.

    Parameters
    ----------
    samples : Arrays
        The samples.
    where : numpy.ndarray of bool
        Shape (samples, features): which values.
    signature : Signature
        Which features are required.

    Returns
    -------
    Arrays
    """
    where = where & [not feature.required for feature in signature.features]
    numbers, texts = samples.numbers.copy(), samples.texts.copy()
    numbers[where[:, signature.number_indices]] = np.nan
    texts[where[:, signature.text_indices]] = None
    return Arrays(numbers, texts)
