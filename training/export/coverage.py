"""Coverage of scikit-learn's classifiers: ``python -m training.export.coverage``."""

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
from training.export.search import export
from training.wine.dataset import wine

MULTI_OUTPUT = ("ClassifierChain", "MultiOutputClassifier")
BINARY = ("FixedThresholdClassifier", "TunedThresholdClassifierCV")  # of two classes only
_WRAPPING = (
    *BINARY,
    "CalibratedClassifierCV",
    "OneVsOneClassifier",
    "OneVsRestClassifier",
    "OutputCodeClassifier",
    "SelfTrainingClassifier",
)
_WITH_ITERATIONS = ("LogisticRegression", "LogisticRegressionCV", "LinearSVC", "MLPClassifier")
_MAX_ITERATIONS = 20_000
_RADIUS = 1_000  # with the default of 1 no sample has a neighbour, and scikit-learn raises
_REASON_LENGTH = 80


class Fitted(NamedTuple):
    """A classifier and what it was fitted on.

    Parameters
    ----------
    name : str
        scikit-learn's name of it.
    estimator : classifier
        Fitted.
    X : numpy.ndarray of float64
        Shape (samples, features).
    y : numpy.ndarray
        Shape (samples,).
    """

    name: str
    estimator: ClassifierMixin
    X: npt.NDArray[np.float64]
    y: npt.NDArray[Any]


class Coverage(NamedTuple):
    """How a classifier is served.

    Parameters
    ----------
    name : str
        scikit-learn's name of it.
    runtime : str
        The way that was taken, such as ``onnx float64, one matrix``; ``sklearn`` or ``none`` with
        the reason.
    label_mismatches : int, optional
        How many labels of the comparison differ.
    max_difference : float, optional
        The largest difference of a probability; none without `predict_proba`.
    """

    name: str
    runtime: str
    label_mismatches: int | None = None
    max_difference: float | None = None


def unfitted_classifiers(max_iterations: int = _MAX_ITERATIONS) -> Iterator[ClassifierMixin]:
    """Give each of scikit-learn's classifiers of one output, with its default parameters.

    Parameters
    ----------
    max_iterations : int
        For those that do not converge within their default.

    Yields
    ------
    classifier
        Meta-estimators hold a logistic regression, and those of several a tree as well.
    """
    for name, kind in all_estimators(type_filter="classifier"):
        if name in MULTI_OUTPUT:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one is deprecated
            estimator = _make(name, kind, max_iterations)
        parameters = estimator.get_params(deep=False)
        if "random_state" in parameters:
            estimator.set_params(random_state=0)
        if name in _WITH_ITERATIONS:
            estimator.set_params(max_iter=max_iterations)
        yield estimator


def _make(name: str, kind: Any, max_iterations: int) -> Any:
    logistic = LogisticRegression(max_iter=max_iterations)
    tree = DecisionTreeClassifier(random_state=0)
    if name in ("StackingClassifier", "VotingClassifier"):
        return kind([("logistic", logistic), ("tree", tree)])
    if name == "RadiusNeighborsClassifier":
        return kind(radius=_RADIUS)
    return kind(logistic) if name in _WRAPPING else kind()


def fitted_classifiers() -> Iterator[Fitted]:
    """Fit every classifier on the wine data.

    Yields
    ------
    Fitted
        Those for two classes know only the second wine from the others.
    """
    X, y, _ = wine()
    for estimator in unfitted_classifiers():
        name = type(estimator).__name__
        target = (y == 1).astype(np.int64) if name in BINARY else y
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield Fitted(name, estimator.fit(X, target), X, target)


def cover(fitted: Fitted) -> Coverage:
    """Find out how a classifier is served.

    Parameters
    ----------
    fitted : Fitted
        The classifier.

    Returns
    -------
    Coverage
    """
    samples = Table(fitted.X)
    signature = infer_signature(fitted.estimator, samples)
    try:
        exported = export(fitted.estimator, samples, signature)
    except NotExportable as refused:
        return Coverage(fitted.name, f"none: {str(refused)[:_REASON_LENGTH]}")
    largest = exported.comparison.max_difference if signature.has_probabilities else None
    runtime = exported.attempts[-1].strategy
    if exported.runtime == "sklearn":
        runtime += f": {(exported.attempts[0].rejection or '')[:_REASON_LENGTH]}"
    return Coverage(fitted.name, runtime, exported.comparison.label_mismatches, largest)


def as_markdown(covered: list[Coverage]) -> str:
    """Write the results as a Markdown table.

    Parameters
    ----------
    covered : list of Coverage
        The results.

    Returns
    -------
    str
    """
    lines = [
        "| classifier | runtime | labels differing | largest difference of a probability |",
        "| --- | --- | --- | --- |",
    ]
    for each in covered:
        labels = "" if each.label_mismatches is None else each.label_mismatches
        largest = "" if each.max_difference is None else f"{each.max_difference:.1e}"
        lines.append(f"| {each.name} | {each.runtime} | {labels} | {largest} |")
    runtimes = [each.runtime.split(":")[0] for each in covered]
    counts = [f"{runtimes.count(name)} {name}" for name in sorted(set(runtimes))]
    return "\n".join([*lines, "", f"{len(covered)} classifiers: {', '.join(counts)}."])


if __name__ == "__main__":
    print(as_markdown([cover(fitted) for fitted in fitted_classifiers()]))
