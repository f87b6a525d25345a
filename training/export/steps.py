"""Samples on both sides of the steps of an estimator, such as the thresholds of its trees.

A tree's probabilities jump at its thresholds, and an exported one must jump at the same float64. A
step is found without knowledge of the estimator: between two samples that differ in one feature,
by division, until the probabilities jump between two adjacent floats.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, is_classifier
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from chalicelib.inputs.signature import Signature
from training.data.arrays import Arrays
from training.data.parts import iterate_parts
from training.data.table import Table

PAIRS = 32
MIN_JUMP = 1e-6
_MAX_DIVISIONS = 40
_SEED = 1
_STEPPED_MODULES = ("sklearn.tree", "sklearn.ensemble._hist", "lightgbm", "xgboost", "catboost")
_STEPPED_CLASSES = ("Binarizer", "KBinsDiscretizer")
_KNOWN_LIBRARIES = ("sklearn.", "imblearn.", "numpy", "scipy.", "pandas.")
# Transformers that compute each value from one other, or copy it, so that its last bit is certain.
_EXACT_TRANSFORMERS = (
    "Binarizer",
    "ColumnTransformer",
    "CountVectorizer",
    "FeatureUnion",
    "GenericUnivariateSelect",
    "KBinsDiscretizer",
    "MaxAbsScaler",
    "MinMaxScaler",
    "MissingIndicator",
    "OneHotEncoder",
    "OrdinalEncoder",
    "Pipeline",
    "PolynomialFeatures",
    "RFE",
    "RFECV",
    "RobustScaler",
    "SelectFdr",
    "SelectFpr",
    "SelectFromModel",
    "SelectFwe",
    "SelectKBest",
    "SelectPercentile",
    "SequentialFeatureSelector",
    "SimpleImputer",
    "StandardScaler",
    "TargetEncoder",
    "TfidfVectorizer",
    "VarianceThreshold",
)
# Of a step, where the last bits before it depend on the order of a sum or on a library's function.
_INEXACT_MARGIN = 1e-9
# Their jumps depend on rounding in the order of a sum, in scikit-learn too.
_NOISY_MODULES = ("sklearn.neighbors", "sklearn.semi_supervised._label_propagation")

Matrix = npt.NDArray[np.float64]


def has_steps(estimator: Any) -> bool:
    """Return whether an estimator has thresholds that an exported one must share exactly."""
    classes = {type(part) for part in iterate_parts(estimator)}
    if any(cls.__module__.startswith(_NOISY_MODULES) for cls in classes):
        return False
    return any(map(_may_have_steps, classes))


def _may_have_steps(cls: type) -> bool:
    is_stepped = cls.__module__.startswith(_STEPPED_MODULES) or cls.__name__ in _STEPPED_CLASSES
    # A transformer of another library may compare its features with anything.
    is_unknown = hasattr(cls, "transform") and not cls.__module__.startswith(_KNOWN_LIBRARIES)
    return is_stepped or is_unknown


def step_margin(estimator: Any) -> float:
    """Return how far from a step, relative to it, scikit-learn's own result is certain."""
    transformers = [
        part
        for part in iterate_parts(estimator)
        if isinstance(part, BaseEstimator) and hasattr(part, "transform")
    ]
    return 0.0 if all(map(_transforms_exactly, transformers)) else _INEXACT_MARGIN


def _transforms_exactly(part: Any) -> bool:
    is_projection = isinstance(part, LinearDiscriminantAnalysis)
    is_combination = is_classifier(part) and not is_projection
    return is_combination or type(part).__name__ in _EXACT_TRANSFORMERS


def step_samples(
    predict_proba: Callable[[Arrays], Matrix], table: Table, signature: Signature, margin: float
) -> Arrays:
    """Return samples next to steps.

    Parameters
    ----------
    predict_proba : callable
        Returns probabilities of shape (samples, classes).
    table : Table
    signature : Signature
    margin : float
        From `step_margin`.

    Returns
    -------
    Arrays
        For each step that was found, samples with the two float64 numbers around it, and with the
        float32 numbers around these.
    """
    columns = [
        column
        for column, index in enumerate(signature.number_indices)
        if signature.features[index].kind == "numeric"
        and signature.features[index].categories is None
    ]
    if not columns:
        return table.samples.take([])
    random = np.random.default_rng(_SEED)
    rows = random.integers(0, len(table), PAIRS)
    base = table.samples.take(rows.tolist())
    column = random.choice(columns, PAIRS)
    low = base.numbers[np.arange(PAIRS), column]
    high = table.samples.numbers[random.integers(0, len(table), PAIRS), column]

    def predict(values: Matrix) -> Matrix:
        times = len(values) // PAIRS
        repeated = base.take(list(range(PAIRS)) * times)
        return predict_proba(_with_values(repeated, np.tile(column, times), values))

    low, high = _narrow(predict, low, high)
    usable = np.isfinite(low) & np.isfinite(high)
    at_low, at_high = np.where(usable, low, 0.0), np.where(usable, high, 0.0)
    jumps = np.abs(predict(at_high) - predict(at_low)).max(axis=1) > MIN_JUMP
    is_adjacent = np.nextafter(low, high) == high
    steps = np.flatnonzero(usable & jumps & is_adjacent)
    around = [_around(low[step], high[step], margin) for step in steps]
    repeated = np.repeat(steps, [len(values) for values in around])
    samples = base.take(repeated.tolist())
    values = np.array([value for values in around for value in values])
    return _with_values(samples, column[repeated], values)


def _narrow(
    predict: Callable[[Matrix], Matrix], low: Matrix, high: Matrix
) -> tuple[Matrix, Matrix]:
    """Narrow each interval to the part with the largest jump until it has no inner floats.

    Most of a call's time does not depend on the number of samples: eight parts need a third of the
    predictions that halves need.
    """
    usable = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(usable, low, 0.0), np.where(usable, high, 0.0)
    at_low, at_high = predict(low), predict(high)
    rows = np.arange(len(low))
    for _ in range(_MAX_DIVISIONS):
        inner = _inner_ends(low, high)
        if not ((inner != low) & (inner != high)).any():
            break
        ends = np.stack([low, *inner, high])
        at_inner = np.split(predict(np.concatenate(inner)), len(inner))
        at_ends = np.stack([at_low, *at_inner, at_high])
        jump = np.abs(np.diff(at_ends, axis=0)).max(axis=2).argmax(axis=0)
        low, high = ends[jump, rows], ends[jump + 1, rows]
        at_low, at_high = at_ends[jump, rows], at_ends[jump + 1, rows]
    return np.where(usable, low, np.nan), np.where(usable, high, np.nan)


def _inner_ends(low: Matrix, high: Matrix) -> Matrix:
    """Return where intervals are divided, shape (7, intervals)."""
    ends = [low, high]
    for _ in range(3):
        middles = [a + (b - a) / 2 for a, b in itertools.pairwise(ends)]
        ends = [each for pair in zip(ends, middles, strict=False) for each in pair] + [high]
    return np.array(ends[1:-1])


def _around(low: float, high: float, margin: float) -> list[float]:
    """Return the numbers on both sides of a step, in float64 and in float32."""
    if margin:
        sign = 1.0 if high > low else -1.0
        return [low - sign * margin * abs(low), high + sign * margin * abs(high)]
    single = np.float32(low)
    singles = (np.nextafter(single, np.float32(end)) for end in (-np.inf, single, np.inf))
    outside = (np.nextafter(low, -np.inf), np.nextafter(high, np.inf))
    return [low, high, *map(float, outside), *map(float, singles)]


def _with_values(samples: Arrays, column: npt.NDArray[Any], values: Matrix) -> Arrays:
    numbers = samples.numbers.copy()
    numbers[np.arange(len(numbers)), column] = values
    return Arrays(numbers, samples.texts)
