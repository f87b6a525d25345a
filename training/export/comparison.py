"""Compare an exported model's predictions with scikit-learn's."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chalicelib.inputs.signature import Feature, Signature
from chalicelib.models.model import PROBABILITY_TOLERANCE
from chalicelib.runtimes.base import Classifier
from training.data.arrays import Arrays, mask_values
from training.data.signature import UNSEEN_CATEGORY, known_values
from training.data.table import Table, call_estimator

RANDOM_ROWS = 5_000
MISSING_FRACTION = 0.2
_SEED = 0


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


def comparison_samples(table: Table, signature: Signature) -> Arrays:
    """Return the samples that models are compared on.

    They are those of the table and `RANDOM_ROWS` random ones: numbers uniform over their range,
    text from the table's categories and, where the estimator accepts it, one unseen category.
    If features may be missing, there are as many again with missing values, and one sample with
    its first feature alone.
    """
    random = np.random.default_rng(_SEED)
    parts = [table.samples, _random_samples(random, table, signature)]
    if not all(feature.required for feature in signature.features):
        parts.append(_with_missing_values(random, parts[1], signature))
        parts.append(_first_feature_alone(table.samples, signature))
    return Arrays.concatenate(parts)


def _random_samples(random: np.random.Generator, table: Table, signature: Signature) -> Arrays:
    columns = [
        _random_column(random, feature, known_values(table, index))
        for index, feature in enumerate(signature.features)
    ]
    numbers = [columns[index] for index in signature.number_indices]
    texts = [columns[index] for index in signature.text_indices]
    return Arrays.from_columns(RANDOM_ROWS, numbers, texts)


def _random_column(
    random: np.random.Generator, feature: Feature, known: list[str] | list[float]
) -> npt.NDArray[Any]:
    if feature.kind == "categorical":
        choices = [*known, *([] if feature.categories else [UNSEEN_CATEGORY])]
        return random.choice(np.array(choices, dtype=np.object_), size=RANDOM_ROWS)
    if feature.categories:
        return random.choice(np.array(known), size=RANDOM_ROWS)
    if feature.kind == "boolean":
        return random.integers(0, 2, size=RANDOM_ROWS).astype(np.float64)
    if not known:  # a column without values
        return random.uniform(-1.0, 1.0, size=RANDOM_ROWS)
    low, high = float(min(known)), float(max(known))
    if feature.kind == "integer":
        return random.integers(int(low), int(high) + 1, size=RANDOM_ROWS).astype(np.float64)
    return random.uniform(low, high, size=RANDOM_ROWS)


def _with_missing_values(
    random: np.random.Generator, samples: Arrays, signature: Signature
) -> Arrays:
    mask = random.random((RANDOM_ROWS, len(signature.features))) < MISSING_FRACTION
    return mask_values(samples, mask, signature)


def _first_feature_alone(samples: Arrays, signature: Signature) -> Arrays:
    all_but_first = np.arange(len(signature.features)).reshape(1, -1) > 0
    return mask_values(samples.take([0]), all_but_first, signature)
