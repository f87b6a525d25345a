"""Measure how each of scikit-learn's classifiers is served; `make fidelity` writes the page."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from training.data.signature import infer_signature
from training.data.table import Table
from training.errors import NotExportable
from training.export.comparison_samples import RANDOM_ROWS
from training.export.search import export
from training.wine.dataset import wine

MULTI_OUTPUT = ("ClassifierChain", "MultiOutputClassifier")
BINARY = ("FixedThresholdClassifier", "TunedThresholdClassifierCV")  # support two classes only
_META_ESTIMATORS = (
    *BINARY,
    "CalibratedClassifierCV",
    "OneVsOneClassifier",
    "OneVsRestClassifier",
    "OutputCodeClassifier",
    "SelfTrainingClassifier",
)
_WITH_ITERATIONS = ("LogisticRegression", "LogisticRegressionCV", "LinearSVC", "MLPClassifier")
_MAX_ITERATIONS = 20_000
_RADIUS = 1_000  # within the default of 1 no sample has a neighbour, and scikit-learn raises
_REASON_LENGTH = 80

_PAGE = f"""\
# How each classifier is served

Each of scikit-learn's classifiers with one output, fitted on the wine data and compared with
scikit-learn on the 178 wines and {RANDOM_ROWS:,} random rows over their range, with missing values
if the classifier accepts them. Written by `make fidelity`.

| classifier | runtime | label mismatches | largest difference of a probability |
| --- | --- | --- | --- |
"""


class FittedClassifier(NamedTuple):
    """A classifier and the data it was fitted on."""

    name: str
    estimator: ClassifierMixin
    X: npt.NDArray[np.float64]
    y: npt.NDArray[Any]


class Coverage(NamedTuple):
    """How a classifier is served."""

    name: str
    runtime: str  # the strategy, such as "onnx float64, one matrix"; else "none" and the reason
    label_mismatches: int | None = None
    max_difference: float | None = None  # None without predict_proba


def unfitted_classifiers(max_iterations: int = _MAX_ITERATIONS) -> Iterator[ClassifierMixin]:
    """Yield scikit-learn's classifiers with one output and default parameters.

    Meta-estimators wrap a logistic regression, and those of several a tree as well.
    `max_iterations` is for those that do not converge within their default.
    """
    for name, classifier in all_estimators(type_filter="classifier"):
        if name in MULTI_OUTPUT:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one is deprecated
            estimator = _make_classifier(name, classifier, max_iterations)
        parameters = estimator.get_params(deep=False)
        if "random_state" in parameters:
            estimator.set_params(random_state=0)
        if name in _WITH_ITERATIONS:
            estimator.set_params(max_iter=max_iterations)
        yield estimator


def _make_classifier(name: str, classifier: Any, max_iterations: int) -> Any:
    logistic = LogisticRegression(max_iter=max_iterations)
    tree = DecisionTreeClassifier(random_state=0)
    if name in ("StackingClassifier", "VotingClassifier"):
        return classifier([("logistic", logistic), ("tree", tree)])
    if name == "RadiusNeighborsClassifier":
        return classifier(radius=_RADIUS)
    return classifier(logistic) if name in _META_ESTIMATORS else classifier()


def fitted_classifiers(max_iterations: int = _MAX_ITERATIONS) -> Iterator[FittedClassifier]:
    """Yield the classifiers fitted on the wine data; binary ones on the second wine or not."""
    X, y, _ = wine()
    for estimator in unfitted_classifiers(max_iterations):
        name = type(estimator).__name__
        target = (y == 1).astype(np.int64) if name in BINARY else y
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield FittedClassifier(name, estimator.fit(X, target), X, target)


def measure_coverage(fitted: FittedClassifier) -> Coverage:
    """Export a classifier and return how it is served."""
    table = Table(fitted.X)
    signature = infer_signature(fitted.estimator, table)
    try:
        exported = export(fitted.estimator, table, signature)
    except NotExportable as error:
        return Coverage(fitted.name, f"none: {str(error)[:_REASON_LENGTH]}")
    difference = exported.comparison.max_difference if signature.has_probabilities else None
    runtime = exported.attempts[-1].strategy
    if exported.runtime == "sklearn":
        runtime += f": {(exported.attempts[0].rejection or '')[:_REASON_LENGTH]}"
    return Coverage(fitted.name, runtime, exported.comparison.label_mismatches, difference)


def format_page(results: list[Coverage]) -> str:
    """Return the page: a Markdown table of the classifiers and how many each runtime serves."""
    rows = []
    for result in results:
        mismatches = "" if result.label_mismatches is None else result.label_mismatches
        difference = "" if result.max_difference is None else f"{result.max_difference:.1e}"
        rows.append(f"| {result.name} | {result.runtime} | {mismatches} | {difference} |")
    runtimes = [result.runtime.split(":")[0] for result in results]
    counts = [f"{runtimes.count(name)} {name}" for name in sorted(set(runtimes))]
    return _PAGE + "\n".join([*rows, "", f"{len(results)} classifiers: {', '.join(counts)}."])
