"""Tables with gaps and categories, and whether a model is exported exactly for them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pandas as pd
from onnx import numpy_helper
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from chalicelib.runtimes.onnx_classifier import OnnxClassifier
from training.data.signature import infer_signature
from training.data.table import Table, call_estimator
from training.export.search import export

ROWS = 300
EXTREMES = (0.0, -0.0, 5e-324, 1e-45, 1e-35, -1e-35, 1.1e-35, -0.5, 0.5, 7.9, 2.0**53, 1e30, -1e30)


def matrix(classes: int = 3) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Make numbers with gaps, zeros and categories, and labels that depend on all of them."""
    random = np.random.default_rng(0)
    X = random.normal(size=(ROWS, 4))
    X[:, 2] = random.choice([0.0, 1.0, 2.0, 5.0], ROWS)
    X[random.random(X.shape) < 0.1] = 0.0
    score = (X[:, 0] > 0) * 1.0 + (X[:, 1] == 0) + (X[:, 2] == 2)
    X[random.random(X.shape) < 0.1] = np.nan
    return X, (score + (random.random(ROWS) > 0.8)).astype(np.int64) % classes


def frame() -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Make a table with text and gaps."""
    random = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "weight": random.normal(size=ROWS),
            "city": random.choice(["Oslo", "Zürich", "nan", "Rome"], ROWS).astype(object),
            "code": random.choice([10.0, -3.0, 7.0], ROWS),
            "age": random.integers(1, 80, ROWS) * 1.0,
            "note": random.choice(["good wine", "bad wine", "wine good", "acid"], ROWS),
        }
    )
    y = (X["city"] == "Oslo") * 1 + (X["code"] == 7) + (X["age"] > 40)
    X.loc[::7, "weight"] = np.nan
    X.loc[1::9, "city"] = np.nan
    return X, np.asarray(y % 3, dtype=np.int64)


def prepare(**parameters: Any) -> Any:
    """Encode the table's text and fill its gaps."""
    cities = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    return make_column_transformer(
        (cities.set_params(onehotencoder__handle_unknown="ignore"), ["city"]),
        (TfidfVectorizer(), "note"),
        (SimpleImputer(), ["weight"]),
        ("passthrough", ["code", "age"]),
        **parameters,
    )


def assert_exact(
    estimator: ClassifierMixin, X: Any, thresholds: dict[int, list[float]] | None = None
) -> None:
    """Assert that ONNX predicts what the estimator does, also where samples are at a threshold.

    `thresholds` are those of each feature; by default, those of the graph's trees.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = Table(X)
        signature = infer_signature(estimator, table)
        exported = export(estimator, table, signature, runtime="onnx")
        assert exported.attempts[-1].strategy == "onnx float64"
        if isinstance(X, np.ndarray):
            samples = at_thresholds(X, thresholds or read_thresholds(exported.model))
            classifier = OnnxClassifier(exported.model, signature, exported.text_encoders)
            actual = classifier.predict(Table(samples).samples.to_samples()).labels
            assert actual == call_estimator(estimator, samples, probabilities=False)[0]


def read_thresholds(model: bytes) -> dict[int, list[float]]:
    """Return the thresholds of the trees of an ONNX model, by the index of the column."""
    thresholds: dict[int, list[float]] = {}
    for node in onnx.load_from_string(model).graph.node:
        if node.op_type == "TreeEnsemble":
            fields = {field.name: field for field in node.attribute}
            values = numpy_helper.to_array(fields["nodes_splits"].t).tolist()
            for index, value in zip(fields["nodes_featureids"].ints, values, strict=True):
                thresholds.setdefault(index, []).append(value)
    return thresholds


def at_thresholds(
    X: npt.NDArray[np.float64], thresholds: dict[int, list[float]]
) -> npt.NDArray[np.float64]:
    """Return samples with each threshold of a feature, its neighbours and extreme values."""
    values = [
        (index, each)
        for index in range(X.shape[1])
        for value in thresholds.get(index, [])
        for each in neighbours(value)
    ]
    values += [(index, value) for index in range(X.shape[1]) for value in EXTREMES]
    samples = X[np.arange(len(values)) % len(X)]
    for sample, (index, value) in zip(samples, values, strict=True):
        sample[index] = value
    return samples


def neighbours(value: float) -> list[float]:
    """Return a value and the numbers next to it, in float64 and in float32."""
    rounded = np.float32(value)
    singles = [rounded, *(np.nextafter(rounded, np.float32(end)) for end in (-np.inf, np.inf))]
    return [value, *(np.nextafter(value, end) for end in (-np.inf, np.inf)), *map(float, singles)]
