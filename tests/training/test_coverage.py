"""The page on how each classifier is served."""

from __future__ import annotations

import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Perceptron

from training.export.coverage import FittedClassifier, format_page, measure_coverage
from training.wine.dataset import wine


@pytest.mark.filterwarnings("ignore")  # the perceptron may not converge
def test_the_page_counts_the_classifiers_of_each_runtime() -> None:
    """One row for each classifier, and the totals below the table."""
    X, y, _ = wine()
    exact = FittedClassifier("Perceptron", Perceptron().fit(X, y), X, y)
    random = DummyClassifier(strategy="uniform").fit(X, y)
    rejected = FittedClassifier("DummyClassifier", random, X, y)
    page = format_page([measure_coverage(exact), measure_coverage(rejected)])
    lines = page[page.index("| classifier |") :].splitlines()
    assert lines[2] == "| Perceptron | onnx float64, one matrix | 0 |  |"
    assert lines[3].startswith("| DummyClassifier | none: DummyClassifier cannot be served exactly")
    assert lines[-1] == "2 classifiers: 1 none, 1 onnx float64, one matrix."
