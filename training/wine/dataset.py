"""Load scikit-learn's wine data and split it for training."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

TEST_FRACTION = 0.25


class Dataset(NamedTuple):
    """Labelled samples.

    Parameters
    ----------
    X : numpy.ndarray of float64
        Shape (samples, features).
    y : numpy.ndarray of int64
        Shape (samples,): the labels.
    feature_names : list of str
        Names of the columns of `X`.
    """

    X: npt.NDArray[np.float64]
    y: npt.NDArray[np.int64]
    feature_names: list[str]


class Split(NamedTuple):
    """A data set split in two, without overlap."""

    train: Dataset
    test: Dataset


def wine() -> Dataset:
    """Load the wine data: 178 samples, 13 features, 3 classes.

    Source: https://archive.ics.uci.edu/dataset/109/wine
    """
    bunch = load_wine()
    return Dataset(bunch.data, bunch.target, list(bunch.feature_names))


def split(dataset: Dataset, *, seed: int) -> Split:
    """Split a data set at random, stratified by class; `TEST_FRACTION` of it is for testing."""
    X_train, X_test, y_train, y_test = train_test_split(
        dataset.X, dataset.y, test_size=TEST_FRACTION, stratify=dataset.y, random_state=seed
    )
    names = dataset.feature_names
    return Split(Dataset(X_train, y_train, names), Dataset(X_test, y_test, names))
