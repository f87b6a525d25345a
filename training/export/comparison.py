"""Compare an exported model's predictions with scikit-learn's."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chalicelib.inputs.signature import LARGEST_NUMBER, Signature
from chalicelib.models.model import PROBABILITY_TOLERANCE
from chalicelib.runtimes.base import Classifier, Prediction
from training.data.arrays import Arrays
from training.data.parts import count_numbers
from training.data.signature import value_range
from training.data.table import Table, call_estimator, call_predict_proba
from training.export.comparison_samples import (
    choose_rows,
    comparison_samples,
    comparison_sizes,
    extreme_samples,
)
from training.export.steps import has_steps, step_margin, step_samples
from training.progress import progress

LOG = logging.getLogger(__name__)

FLOAT32_MAX = float(np.finfo(np.float32).max)

# The largest numbers that a model may accept: of what read_samples accepts, of float64's squares
# and cubes, of float32.
LARGEST_NUMBERS = (LARGEST_NUMBER, 1e150, 1e100, FLOAT32_MAX, 1e15, 1e9)

# Samples are predicted in slices, so that memory does not grow with the table.
REFERENCE_ROWS = 10_000
MAX_SLICE_ROWS = 1_000
MAX_SLICE_VALUES = 8_000_000  # numbers that the estimator works with at once, 64 MB


_Prediction = tuple[list[str], npt.NDArray[np.float64] | None]  # labels, probabilities


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
    table_rows : int
        The number of samples compared that are of the table; the others were made to differ.
    table_size : int
        The number of samples in the table.
    """

    rows: int
    label_mismatches: int
    max_difference: float
    table_rows: int
    table_size: int

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
    table_rows : int
        How many of the samples are of the table.
    table_size : int
        How many samples the table has.
    slice_rows : int
        How many samples to predict at once.
    """

    samples: Arrays
    labels: list[str]
    probabilities: npt.NDArray[np.float64] | None
    table_rows: int
    table_size: int
    slice_rows: int


def compute_reference(
    estimator: Any,
    table: Table,
    signature: Signature,
    labels: npt.NDArray[Any] | None = None,
    predicted: Sequence[str] | None = None,
) -> Reference:
    """Predict the comparison samples with the fitted estimator.

    Of a large table, they are a random part with samples of each of the `labels`, which have the
    shape (samples,). `predicted` are the labels that the estimator predicts for the table, if they
    are known.
    """
    width, operations = len(table.names), count_numbers(estimator)
    sizes = comparison_sizes(width, operations)
    rows = choose_rows(np.zeros(len(table)) if labels is None else labels, sizes.table)
    changed, samples = comparison_samples(table, signature, rows, sizes)
    if signature.has_probabilities and has_steps(estimator):

        def predict_proba(samples: Arrays) -> npt.NDArray[np.float64]:
            X = table.to_estimator_input(samples)
            finite: npt.NDArray[np.float64] = np.nan_to_num(call_predict_proba(estimator, X))
            return finite

        steps = step_samples(predict_proba, table, signature, step_margin(estimator))
        changed = Arrays.concatenate([steps, changed])
    size = len(changed.numbers) + len(rows)
    LOG.info("comparing %d samples, %d of the table's %d", size, len(rows), len(table))
    known = None if predicted is None else [predicted[row] for row in rows]
    predictions = [
        *_predict_slices(estimator, table, signature, changed),
        *_predict_slices(estimator, table, signature, samples, known),
    ]
    probabilities = [part for _, part in predictions if part is not None]
    values = count_numbers(estimator, of_a_tree=1 + len(signature.classes))
    return Reference(
        Arrays.concatenate([changed, samples]),
        [label for labels_of_part, _ in predictions for label in labels_of_part],
        np.concatenate(probabilities) if probabilities else None,
        len(rows),
        len(table),
        min(MAX_SLICE_ROWS, 1 + MAX_SLICE_VALUES // max(width, values)),
    )


def _predict_slices(
    estimator: Any,
    table: Table,
    signature: Signature,
    samples: Arrays,
    labels: list[str] | None = None,
) -> Iterator[_Prediction]:
    """Predict samples, with `labels` if these are known."""
    for number, part in enumerate(progress(samples.slices(REFERENCE_ROWS), "predicting")):
        if labels is None:
            yield _predict(estimator, table, signature, part)
            continue
        start, probabilities = number * REFERENCE_ROWS, None
        if signature.has_probabilities:
            probabilities = call_predict_proba(estimator, table.to_estimator_input(part))
        yield labels[start : start + REFERENCE_ROWS], probabilities


def find_largest_number(
    classifier: Classifier, estimator: Any, table: Table, signature: Signature
) -> float | None:
    """Return the largest number up to which an exported classifier predicts as the estimator.

    None if there is none among `LARGEST_NUMBERS`. A sample that the estimator rejects, and one
    whose probabilities overflow, must not get a label.
    """
    ranges = [value_range(column) for column in table.samples.numbers.T]
    known = max((abs(end) for both in ranges for end in both), default=0.0)
    for largest in [number for number in LARGEST_NUMBERS if number >= known]:
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
        expected, _ = _predict(estimator, table, signature, samples)
    except Exception:  # an estimator rejects all samples if it rejects one
        return not is_served.any() or (
            rows > 1
            and all(
                _predicts_extremes(classifier, estimator, table, signature, samples.take([row]))
                for row in range(rows)
            )
        )
    return all(np.array(actual.labels)[is_served] == np.array(expected)[is_served])


def _predict(estimator: Any, table: Table, signature: Signature, samples: Arrays) -> _Prediction:
    return call_estimator(
        estimator, table.to_estimator_input(samples), probabilities=signature.has_probabilities
    )


def compare(classifier: Classifier, reference: Reference) -> Comparison:
    """Compare an exported classifier's predictions with the reference.

    The comparison ends with the first slice of samples that is not exact.
    """
    mismatches, difference, start = 0, 0.0, 0
    for part in progress(reference.samples.slices(reference.slice_rows), "comparing"):
        prediction = classifier.predict(part.to_samples())
        end = start + len(part.numbers)
        pairs = zip(prediction.labels, reference.labels[start:end], strict=True)
        mismatches += sum(actual != expected for actual, expected in pairs)
        if reference.probabilities is not None:
            expected_part = reference.probabilities[start:end]
            difference = max(difference, _max_difference(prediction, expected_part))
        start = end
        comparison = Comparison(
            start, mismatches, difference, reference.table_rows, reference.table_size
        )
        if not comparison.is_exact():
            break
    return comparison


def _max_difference(prediction: Prediction, expected: npt.NDArray[np.floating]) -> float:
    """Return the largest difference; two NaNs are equal, NaN and a number infinitely different."""
    actual = np.array(prediction.probabilities or ())
    if actual.size != expected.size:
        return float("inf")
    actual = actual.reshape(expected.shape)
    both_nan = np.isnan(actual) & np.isnan(expected)
    difference = float(np.abs(np.where(both_nan, 0.0, actual - expected)).max())
    return float("inf") if np.isnan(difference) else difference
