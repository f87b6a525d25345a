"""Models whose requests may be costly: wide, with many categories, with text, slow to compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.svm import SVC

from chalicelib.models.model import verify
from chalicelib.models.row_limit import max_samples
from chalicelib.settings import MAX_ROWS, Settings
from tests.fuzz.bodies import Inputs
from training.artifact import BuiltModel, build_artifact
from training.wine.dataset import wine
from training.wine.estimators import wine_pipeline

NAME = "costly"
ROWS = 60
CATEGORIES = 5_000
WORDS = 3_000


class CostlyModel(NamedTuple):
    """A model and what a client knows of it."""

    built: BuiltModel
    inputs: Inputs


def numbers_13() -> CostlyModel:
    """Build the wine model: 13 optional numbers."""
    X, y, names = wine()
    return _costly(build_artifact(wine_pipeline().fit(X, y), X, y, name=NAME, feature_names=names))


def integers_784() -> CostlyModel:
    """Build a model of 784 optional whole numbers, such as the pixels of a digit."""
    X = np.random.default_rng(0).integers(0, 256, size=(ROWS, 784))
    return _build(make_pipeline(SimpleImputer(), LogisticRegression()), X)


def numbers_5000() -> CostlyModel:
    """Build a model of 5,000 required numbers."""
    return _build(LogisticRegression(), np.random.default_rng(0).normal(size=(ROWS, 5_000)))


def categories_5000() -> CostlyModel:
    """Build a model of one text out of 5,000."""
    values = [f"Category {index:04} of the places" for index in range(CATEGORIES)] * 5  # listed
    X, y = pd.DataFrame({"place": values}), _labels(len(values))
    encoder = make_column_transformer((OrdinalEncoder(), ["place"]))
    built = build_artifact(make_pipeline(encoder, LogisticRegression()).fit(X, y), X, y, name=NAME)
    return _costly(built, text=values[0])


def words() -> CostlyModel:
    """Build a model of the words and pairs of words in a text."""
    random = np.random.default_rng(0)
    vocabulary = [f"word{index}" for index in range(WORDS)]
    X, y = [" ".join(random.choice(vocabulary, 8)) for _ in range(600)], _labels(600)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), strip_accents="unicode")
    built = build_artifact(
        make_pipeline(vectorizer, LogisticRegression()).fit(X, y), X, y, name=NAME
    )
    return _costly(built, text=" ".join(vocabulary[:200]))


def support_vectors() -> CostlyModel:
    """Build a model that compares each sample with thousands of others."""
    return _build(SVC(), np.random.default_rng(0).normal(size=(4_000, 13)))


def neighbors() -> CostlyModel:
    """Build a model that sorts thousands of samples by their distance to each sample."""
    return _build(KNeighborsClassifier(), np.random.default_rng(0).normal(size=(5_000, 13)))


def slow_neighbors() -> CostlyModel:
    """Build a model that takes so long that a request may hold fewer samples than usual."""
    X = np.random.default_rng(0).normal(size=(50_000, 13))
    estimator = KNeighborsClassifier().fit(X, _labels(len(X)))
    some = X[:500]  # publishing predicts all samples that it gets
    model = _costly(build_artifact(estimator, some, _labels(len(some)), name=NAME))
    assert model.inputs.max_rows < MAX_ROWS
    return model


MODELS: dict[str, Callable[[], CostlyModel]] = {
    function.__name__: function
    for function in (
        numbers_13,
        integers_784,
        numbers_5000,
        categories_5000,
        words,
        support_vectors,
        neighbors,
        slow_neighbors,
    )
}


def _build(estimator: ClassifierMixin, X: npt.NDArray[np.generic]) -> CostlyModel:
    names = [f"pixel{index}" for index in range(X.shape[1])]
    y = _labels(len(X))
    return _costly(build_artifact(estimator.fit(X, y), X, y, name=NAME, feature_names=names))


def _costly(built: BuiltModel, text: str = "") -> CostlyModel:
    manifest = verify(built.artifact)
    max_rows = max_samples(manifest, Settings(""))
    return CostlyModel(built, Inputs(manifest.signature.names, text, max_rows))


def _labels(count: int) -> npt.NDArray[np.str_]:
    return np.where(np.random.default_rng(1).random(count) > 0.5, "no", "yes")
