"""The wine data that scikit-learn ships, split for training."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

# The part of the samples that a model is not fitted on.
TEST_FRACTION = 0.25


class Dataset(NamedTuple):
    """Samples and their classes.

    Parameters
    ----------
    X : numpy.ndarray of float64
        Shape (samples, features).
    y : numpy.ndarray of int64
        Shape (samples,): the class of each.
    feature_names : list of str
        The names of the columns of `X`.
    """

    X: npt.NDArray[np.float64]
    y: npt.NDArray[np.int64]
    feature_names: list[str]


class Split(NamedTuple):
    """A data set in two parts.

    Parameters
    ----------
    train, test : Dataset
        What a model is fitted on, and what it is then tested on.
    """

    train: Dataset
    test: Dataset


def wine() -> Dataset:
    """Load the wine data: 178 samples of 13 features, three classes.

    Returns
    -------
    Dataset
        Of all samples. Source: https://archive.ics.uci.edu/dataset/109/wine
    """
    bunch = load_wine()
    return Dataset(bunch.data, bunch.target, list(bunch.feature_names))


def split(dataset: Dataset, *, seed: int) -> Split:
    """Split a data set, each class in the same proportion.

    Parameters
    ----------
    dataset : Dataset
        What to split; `TEST_FRACTION` of it becomes the test part.
    seed : int
        The same seed gives the same split.

    Returns
    -------
    Split
    """
    X_train, X_test, y_train, y_test = train_test_split(
        dataset.X, dataset.y, test_size=TEST_FRACTION, stratify=dataset.y, random_state=seed
    )
    names = dataset.feature_names
    return Split(Dataset(X_train, y_train, names), Dataset(X_test, y_test, names))
