"""Compare an exported model's predictions with scikit-learn's."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chalicelib.inputs.signature import LARGEST_NUMBER, Signature
from chalicelib.models.model import PROBABILITY_TOLERANCE
from chalicelib.runtimes.base import Classifier
from training.data.arrays import Arrays
from training.data.table import Table, call_estimator
from training.export.comparison_samples import comparison_samples, extreme_samples
from training.export.steps import has_steps, step_margin, step_samples

FLOAT32_MAX = float(np.finfo(np.float32).max)

# The largest numbers that a model may accept: of what read_samples accepts, of float64's squares
# and cubes, of float32.
LARGEST_NUMBERS = (LARGEST_NUMBER, 1e150, 1e100, FLOAT32_MAX, 1e15, 1e9)


class Comparison(NamedTuple):
    """How an exported model's predictions differ from scikit-learn's.

    Parameters
    ----------
    rows : int
        The number of samples compared.
    label_mismatches : int
        The number of samples with different labels.
    max_difference : float
        The largest difference of a probability; 0 if the model has no probabilities.
    """

    rows: int
    label_mismatches: int
    max_difference: float

    def is_exact(self) -> bool:
        """Return whether labels are equal and probabilities within `PROBABILITY_TOLERANCE`."""
        return not self.label_mismatches and self.max_difference <= PROBABILITY_TOLERANCE


class Reference(NamedTuple):
    """scikit-learn's predictions, which an exported model is compared with.

    Parameters
    ----------
    samples : Arrays
        The samples.
    labels : list of str
        Shape (samples,).
    probabilities : numpy.ndarray of float64 or None
        Shape (samples, classes).
    """

    samples: Arrays
    labels: list[str]
    probabilities: npt.NDArray[np.float64] | None


def compute_reference(estimator: Any, table: Table, signature: Signature) -> Reference:
    """Predict the comparison samples with the fitted estimator."""
    samples = comparison_samples(table, signature)
    if signature.has_probabilities and has_steps(estimator):

        def predict_proba(samples: Arrays) -> npt.NDArray[np.float64]:
            X = table.to_estimator_input(samples)
            _, probabilities = call_estimator(estimator, X, probabilities=True)
            finite: npt.NDArray[np.float64] = np.nan_to_num(probabilities)
            return finite

        steps = step_samples(predict_proba, table, signature, step_margin(estimator))
        samples = Arrays.concatenate([samples, steps])
    return _predict(estimator, table, signature, samples)


def find_largest_number(
    classifier: Classifier, estimator: Any, table: Table, signature: Signature
) -> float | None:
    """Return the largest number up to which an exported classifier predicts as the estimator.

    None if there is none among `LARGEST_NUMBERS`. A sample that the estimator rejects, and one
    whose probabilities overflow, must not get a label.
    """
    numbers = np.abs(table.samples.numbers[np.isfinite(table.samples.numbers)])
    for largest in LARGEST_NUMBERS:
        if largest < numbers.max(initial=0.0):
            break
        samples = extreme_samples(table, signature, largest)
        if not len(samples.numbers):
            return LARGEST_NUMBER
        if _predicts_extremes(classifier, estimator, table, signature, samples):
            return largest
    return None


def _predicts_extremes(
    classifier: Classifier, estimator: Any, table: Table, signature: Signature, samples: Arrays
) -> bool:
    actual = classifier.predict(samples.to_samples())
    rows = len(actual.labels)
    is_served = np.ones(rows, dtype=bool)
    if actual.probabilities is not None:
        # A server rejects samples whose probabilities are not finite.
        is_served = np.isfinite(np.reshape(actual.probabilities, (rows, -1))).all(axis=1)
    try:
        expected = _predict(estimator, table, signature, samples).labels
    except Exception:  # an estimator rejects all samples if it rejects one
        return not is_served.any() or (
            rows > 1
            and all(
                _predicts_extremes(classifier, estimator, table, signature, samples.take([row]))
                for row in range(rows)
            )
        )
    return all(np.array(actual.labels)[is_served] == np.array(expected)[is_served])


def _predict(estimator: Any, table: Table, signature: Signature, samples: Arrays) -> Reference:
    labels, probabilities = call_estimator(
        estimator, table.to_estimator_input(samples), probabilities=signature.has_probabilities
    )
    return Reference(samples, labels, probabilities)


def compare(classifier: Classifier, reference: Reference) -> Comparison:
    """Compare an exported classifier's predictions with the reference."""
    prediction = classifier.predict(reference.samples.to_samples())
    pairs = zip(prediction.labels, reference.labels, strict=True)
    mismatches = sum(actual != expected for actual, expected in pairs)
    difference = 0.0
    if reference.probabilities is not None:
        difference = float("inf")
        if len(prediction.probabilities or ()) == reference.probabilities.size:
            probabilities = np.array(prediction.probabilities)
            difference = _max_difference(probabilities, reference.probabilities.ravel())
    return Comparison(len(reference.labels), mismatches, difference)


def _max_difference(actual: npt.NDArray[np.floating], expected: npt.NDArray[np.floating]) -> float:
    """Return the largest difference; two NaNs are equal, NaN and a number infinitely different."""
    both_nan = np.isnan(actual) & np.isnan(expected)
    difference = float(np.abs(np.where(both_nan, 0.0, actual - expected)).max())
    return float("inf") if np.isnan(difference) else difference
