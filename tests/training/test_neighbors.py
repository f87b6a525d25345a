"""Neighbours are found as scikit-learn finds them, also where samples are equally distant."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.base import ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsTransformer,
    RadiusNeighborsClassifier,
    RadiusNeighborsTransformer,
)
from sklearn.pipeline import make_pipeline
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from chalicelib.inputs.samples import Samples
from chalicelib.runtimes.onnx_classifier import OnnxClassifier
from tests.support.transforming import run_transformer
from training.data.signature import infer_signature
from training.data.table import Table
from training.errors import NotExportable
from training.export.onnx_export import Strategy, write_onnx

Matrix = npt.NDArray[np.float64]

CLASSES = 3


def whole_numbers(rows: int, seed: int = 0) -> tuple[Matrix, npt.NDArray[np.int64]]:
    """Return samples most of whose distances are equal to others', and labels without a pattern."""
    random = np.random.default_rng(seed)
    return random.integers(0, 4, (rows, 3)).astype(np.float64), random.integers(0, CLASSES, rows)


def assert_predicts_as_scikit_learn(estimator: ClassifierMixin, X: Matrix, asked: Matrix) -> None:
    """Assert that labels and probabilities are equal."""
    signature = infer_signature(estimator, Table(X))
    model = write_onnx(estimator, signature, Strategy.CONVERTERS, {})
    samples = Samples(len(asked), array("d", asked.tobytes()), [])
    prediction = OnnxClassifier(model.data, signature, []).predict(samples)
    assert prediction.labels == [str(label) for label in estimator.predict(asked)]
    probabilities = np.reshape(prediction.probabilities or (), (len(asked), -1))
    np.testing.assert_allclose(probabilities, estimator.predict_proba(asked), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_neighbors": 1},
        {"n_neighbors": 2, "leaf_size": 1},
        {"n_neighbors": 17, "leaf_size": 3},
        {"weights": "distance", "leaf_size": 7},
        {"algorithm": "ball_tree", "leaf_size": 4},
        {"algorithm": "ball_tree", "p": 1, "weights": "distance"},
        {"algorithm": "brute"},
        {"algorithm": "brute", "metric": "chebyshev", "n_neighbors": 9},
        {"metric": "l1", "leaf_size": 5},
        {"p": 3, "leaf_size": 5},
        {"metric_params": {"w": [1.0, 0.5, 2.0]}, "p": 3},
    ],
    ids=str,
)
def test_of_equally_distant_samples_the_same_are_neighbours(parameters: dict[str, Any]) -> None:
    """scikit-learn pushes them onto a heap in the order in which it visits them."""
    X, y = whole_numbers(250)
    estimator = KNeighborsClassifier(**parameters).fit(X, y)
    assert_predicts_as_scikit_learn(estimator, X, whole_numbers(60, seed=1)[0])


@pytest.mark.parametrize("count", [5, 40])
def test_ties_among_many_samples_are_resolved(count: int) -> None:
    """Most of them are left out before they are compared with each other."""
    X, y = whole_numbers(3_000)
    estimator = KNeighborsClassifier(count).fit(X, y)
    assert_predicts_as_scikit_learn(estimator, X, whole_numbers(20, seed=1)[0])


@pytest.mark.parametrize("estimator", [LabelPropagation("knn"), LabelSpreading("knn")], ids=str)
def test_labels_spread_to_the_same_neighbours(estimator: ClassifierMixin) -> None:
    """Also if the labels of most samples are not known."""
    X, y = whole_numbers(100)
    y[::3] = -1
    fitted = clone(estimator).fit(X, y)
    assert_predicts_as_scikit_learn(fitted, X, whole_numbers(60, seed=1)[0])


@pytest.mark.parametrize(
    "transformer",
    [
        KNeighborsTransformer(),
        KNeighborsTransformer(mode="connectivity", metric="chebyshev"),
        RadiusNeighborsTransformer(radius=1.0),
        RadiusNeighborsTransformer(radius=2.0, mode="connectivity", p=1),
    ],
    ids=str,
)
def test_graphs_of_neighbours_are_exact(transformer: Any) -> None:
    """They have a column for each sample of the training data."""
    X, y = whole_numbers(100)
    fitted = clone(transformer).fit(X)
    asked = whole_numbers(30, seed=1)[0]
    actual = run_transformer(fitted, asked)
    np.testing.assert_allclose(actual, fitted.transform(asked).toarray(), rtol=0, atol=1e-14)
    pipeline = make_pipeline(clone(transformer), LogisticRegression()).fit(X, y)
    assert_predicts_as_scikit_learn(pipeline, X, asked)


@pytest.mark.filterwarnings("ignore:Outlier label most_frequent")
@pytest.mark.parametrize(
    "parameters",
    [
        {"radius": 1.0, "outlier_label": "most_frequent"},
        {"radius": 1.0, "outlier_label": 2, "p": 1, "weights": "distance"},
        {"radius": 0.5, "outlier_label": 1, "metric": "chebyshev"},
        # These probabilities are zero for samples without neighbours, unless the label is an index.
        {"radius": 0.5, "outlier_label": "most_frequent", "metric": "l1", "algorithm": "brute"},
        {"radius": 0.5, "outlier_label": 2, "metric": "chebyshev", "algorithm": "brute"},
    ],
    ids=str,
)
def test_a_sample_at_the_radius_is_a_neighbour(parameters: dict[str, Any]) -> None:
    """A sample without neighbours has the outlier label."""
    X, y = whole_numbers(60)
    asked = np.vstack([whole_numbers(30, seed=1)[0], [[50.0, 0.0, 0.0], [0.5, 0.5, 0.0]]])
    estimator = RadiusNeighborsClassifier(**parameters).fit(X, y)
    assert_predicts_as_scikit_learn(estimator, X, asked)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"metric": "canberra"}, "the metric 'canberra' is not supported"),
        ({"metric": lambda a, b: abs(a - b).sum()}, "the metric of your own is not supported"),
        ({"weights": lambda distances: distances}, "with weights of your own is not supported"),
    ],
)
def test_a_metric_without_a_formula_is_rejected(parameters: dict[str, Any], reason: str) -> None:
    """The error names it."""
    X, y = whole_numbers(50)
    estimator = KNeighborsClassifier(**parameters).fit(X, y)
    signature = infer_signature(estimator, Table(X))
    with pytest.raises(NotExportable, match=reason):
        write_onnx(estimator, signature, Strategy.CONVERTERS, {})
