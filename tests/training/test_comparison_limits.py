"""Up to which numbers an exported model predicts as scikit-learn, and where comparisons end."""

from __future__ import annotations

from array import array
from math import inf, nan
from typing import Any

import numpy as np
import pandas as pd
import pytest

from chalicelib.inputs.samples import Samples
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.runtimes.base import Prediction
from training.data.table import Table
from training.export.comparison import Reference, compare, find_largest_number

NUMBERS = Signature(
    (Feature("x0", "numeric", required=True), Feature("x1", "numeric", required=True)), ("0", "1")
)
ROWS = [[0.5, -1.0], [-2.0, 3.0], [1.5, 2.0]]


def is_beyond(numbers: Any, limit: float) -> Any:
    """Return which samples have a number beyond a limit."""
    return (np.abs(numbers) > limit).any(axis=1)


class Estimator:
    """An estimator that rejects samples with a number beyond a limit, as some do."""

    def __init__(self, rejects: float = inf) -> None:
        self._rejects = rejects

    def predict(self, X: Any) -> Any:
        """Return whether the first number is positive."""
        if is_beyond(X, self._rejects).any():
            raise ValueError("a number is too large")
        return (np.asarray(X)[:, 0] > 0).astype(int)

    def predict_proba(self, X: Any) -> Any:
        """Return what is certain."""
        return np.eye(2)[self.predict(X)]


class Exported:
    """The exported estimator, which is wrong, or overflows, beyond other limits."""

    runtime = "none"

    def __init__(self, wrong: float = inf, overflows: float | None = None) -> None:
        self._wrong = wrong
        self._overflows = overflows

    def check_cost(self, samples: Samples) -> None:
        """Accept all samples."""

    def predict(self, samples: Samples) -> Prediction:
        """Predict as the estimator does; probabilities are infinite where they overflow."""
        numbers = np.reshape(samples.numbers, (samples.rows, -1))
        labels = np.where(is_beyond(numbers, self._wrong), 9, Estimator().predict(numbers))
        probabilities = None
        if self._overflows is not None:
            rows = np.where(is_beyond(numbers, self._overflows)[:, None], [inf, 0], [1, 0])
            probabilities = array("d", rows.ravel())
        return Prediction([str(label) for label in labels], probabilities)


@pytest.mark.parametrize(
    ("exported", "estimator", "largest"),
    [
        (Exported(), Estimator(), 1e300),
        (Exported(wrong=1e120), Estimator(), 1e100),
        # A label that is not served is none.
        (Exported(wrong=1e120, overflows=1e120), Estimator(), 1e300),
        (Exported(wrong=1e120, overflows=1e200), Estimator(), 1e300),
        (Exported(wrong=1e9, overflows=1e120), Estimator(), 1e9),
        # The estimator rejects all samples if one is too large: each is compared alone.
        (Exported(overflows=1e120), Estimator(1e120), 1e300),
        (Exported(wrong=1e120, overflows=1e120), Estimator(1e120), 1e300),
        (Exported(wrong=1e20, overflows=1e120), Estimator(1e120), 1e15),
        # A sample that the estimator rejects must not get a label.
        (Exported(), Estimator(1e120), 1e100),
        (Exported(overflows=inf), Estimator(1e120), 1e100),
        (Exported(), Estimator(0), None),
    ],
)
def test_the_largest_number_is_one_with_the_estimators_labels_or_none(
    exported: Any, estimator: Any, largest: float | None
) -> None:
    """Where the exported model's probabilities overflow, the server rejects the sample."""
    assert find_largest_number(exported, estimator, Table(np.array(ROWS)), NUMBERS) == largest


@pytest.mark.parametrize(("known", "largest"), [(1e100, 1e100), (-1e100, 1e100), (1e101, None)])
def test_the_largest_number_is_no_smaller_than_those_of_the_table(
    known: float, largest: float | None
) -> None:
    """Of either sign."""
    table = Table(np.array([*ROWS, [known, 0.0]]))
    assert find_largest_number(Exported(wrong=1e120), Estimator(), table, NUMBERS) == largest


def test_texts_have_no_largest_number() -> None:
    """Nothing is predicted then."""
    signature = Signature((Feature("text", "categorical", required=True),), ("0", "1"))
    table = Table(pd.DataFrame({"text": ["a", "b"]}))
    assert find_largest_number(Exported(), Estimator(), table, signature) == 1e300


class Recorded:
    """A model whose predictions are those of a list."""

    runtime = "none"

    def __init__(self, labels: list[str], probabilities: list[float] | None) -> None:
        self._labels = labels
        self._probabilities = probabilities

    def check_cost(self, samples: Samples) -> None:
        """Accept all samples."""

    def predict(self, samples: Samples) -> Prediction:
        """Return the predictions of the next samples."""
        labels, self._labels = self._labels[: samples.rows], self._labels[samples.rows :]
        if self._probabilities is None:
            return Prediction(labels, None)
        width = 2 * samples.rows
        part, self._probabilities = self._probabilities[:width], self._probabilities[width:]
        return Prediction(labels, array("d", part))


def reference(labels: list[str], probabilities: list[float] | None, slice_rows: int) -> Reference:
    """Return predictions of the estimator."""
    samples = Table(np.array(ROWS)).samples
    rows = None if probabilities is None else np.reshape(probabilities, (3, 2))
    return Reference(samples, labels, rows, 3, 3, slice_rows)


@pytest.mark.parametrize("slice_rows", [1, 2, 3])
@pytest.mark.parametrize(
    ("actual", "difference"),
    [
        ([0.5, 0.5, nan, 1.0, 0.25, 0.75], 0.0),
        ([0.5, 0.5, nan, 1.0, 0.250001, 0.75], pytest.approx(1e-6)),
        ([0.5, 0.499999, nan, 1.0, 0.25, 0.75], pytest.approx(1e-6)),
        ([0.5, 0.5, 0.0, 1.0, 0.25, 0.75], inf),
        ([0.5, 0.5, nan, nan, 0.25, 0.75], inf),
    ],
)
def test_probabilities_differ_unless_both_are_nan(
    actual: list[float], difference: float, slice_rows: int
) -> None:
    """Of either sign."""
    expected = [0.5, 0.5, nan, 1.0, 0.25, 0.75]
    model: Any = Recorded(["0", "1", "1"], actual)
    comparison = compare(model, reference(["0", "1", "1"], expected, slice_rows))
    assert (comparison.label_mismatches, comparison.max_difference) == (0, difference)
    assert comparison.is_exact() is (difference != inf)


@pytest.mark.parametrize(
    ("labels", "rows", "mismatches"),
    [
        (["0", "1", "1"], 3, 0),
        (["1", "1", "1"], 1, 1),
        (["", "1", "1"], 1, 1),
        (["0", "0", "9"], 2, 1),
        (["0", "1", "9"], 3, 1),
    ],
)
def test_a_comparison_ends_with_the_first_slice_that_differs(
    labels: list[str], rows: int, mismatches: int
) -> None:
    """Labels alone, if there are no probabilities."""
    model: Any = Recorded(labels, None)
    comparison = compare(model, reference(["0", "1", "1"], None, slice_rows=1))
    assert comparison == (rows, mismatches, 0.0, 3, 3)
    assert comparison.is_exact() is (mismatches == 0)
