"""Whether an exported model answers as scikit-learn does, on more samples than it was fitted on."""

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
GAP_FRACTION = 0.2
_SEED = 0


class Comparison(NamedTuple):
    """How near an exported model comes to scikit-learn.

    Parameters
    ----------
    rows : int
        How many samples were compared.
    label_mismatches : int
        For how many of them another label came out.
    max_difference : float
        The largest difference of a probability; 0 if there are none.
    """

    rows: int
    label_mismatches: int
    max_difference: float

    def is_exact(self) -> bool:
        """Tell whether the model may be served.

        Returns
        -------
        bool
            Whether every label is the same and every probability within `PROBABILITY_TOLERANCE`.
        """
        return not self.label_mismatches and self.max_difference <= PROBABILITY_TOLERANCE


class Answers(NamedTuple):
    """What scikit-learn says of the samples that models are compared on.

    Parameters
    ----------
    samples : Arrays
        The samples.
    labels : list of str
        Shape (samples,).
    probabilities : numpy.ndarray or None
        Shape (samples, classes).
    """

    samples: Arrays
    labels: list[str]
    probabilities: npt.NDArray[np.float64] | None


def expected_answers(estimator: Any, table: Table, signature: Signature) -> Answers:
    """Ask scikit-learn about the samples that models are compared on.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    table : Table
        Samples like those that it was fitted on.
    signature : Signature
        What it takes.

    Returns
    -------
    Answers
    """
    samples = comparison_samples(table, signature)
    labels, probabilities = call_estimator(
        estimator, table.to_estimator_input(samples), probabilities=signature.has_probabilities
    )
    return Answers(samples, labels, probabilities)


def compare(classifier: Classifier, answers: Answers) -> Comparison:
    """Compare what an exported model says with what scikit-learn said.

    Parameters
    ----------
    classifier : Classifier
        What the estimator was exported to.
    answers : Answers
        What scikit-learn said.

    Returns
    -------
    Comparison
    """
    prediction = classifier.predict(answers.samples.to_samples())
    pairs = zip(prediction.labels, answers.labels, strict=True)
    differing = sum(ours != theirs for ours, theirs in pairs)
    difference = 0.0
    if answers.probabilities is not None:
        difference = float("inf")
        if len(prediction.probabilities or ()) == answers.probabilities.size:
            ours = np.array(prediction.probabilities)
            difference = _max_difference(ours, answers.probabilities.ravel())
    return Comparison(len(answers.labels), differing, difference)


def _max_difference(ours: npt.NDArray[np.floating], theirs: npt.NDArray[np.floating]) -> float:
    """Give the largest difference, NaN being the same as NaN."""
    undefined = np.isnan(ours) & np.isnan(theirs)
    difference = float(np.abs(np.where(undefined, 0.0, ours - theirs)).max())
    return float("inf") if np.isnan(difference) else difference


def comparison_samples(table: Table, signature: Signature) -> Arrays:
    """Give the samples that two models are compared on.

    Parameters
    ----------
    table : Table
        Samples like those that the estimator was fitted on.
    signature : Signature
        What it takes.

    Returns
    -------
    Arrays
        Those of the table, and `RANDOM_ROWS` random ones: numbers uniform over their range, text
        of the categories that the table holds and, where it may be another, one that it does not.
        Where values may be missing, as many again with gaps, and one with nothing but its first.
    """
    random = np.random.default_rng(_SEED)
    parts = [table.samples, _random_samples(random, table, signature)]
    if not all(feature.required for feature in signature.features):
        parts.append(_with_gaps(random, parts[1], signature))
        parts.append(_first_alone(table.samples, signature))
    return Arrays.concatenate(parts)


def _random_samples(random: np.random.Generator, table: Table, signature: Signature) -> Arrays:
    columns = [
        _random_column(random, feature, known_values(table, position))
        for position, feature in enumerate(signature.features)
    ]
    numbers = [columns[position] for position in signature.number_indices]
    texts = [columns[position] for position in signature.text_indices]
    return Arrays.from_columns(RANDOM_ROWS, numbers, texts)


def _random_column(
    random: np.random.Generator, feature: Feature, known: list[str] | list[float]
) -> npt.NDArray[Any]:
    if feature.kind == "categorical":
        choices = [*known, *([] if feature.categories else [UNSEEN_CATEGORY])]
        return random.choice(np.array(choices, dtype=np.object_), size=RANDOM_ROWS)
    if feature.kind == "boolean":
        return random.integers(0, 2, size=RANDOM_ROWS).astype(np.float64)
    if feature.categories:
        return random.choice(np.array(known), size=RANDOM_ROWS)
    low, high = float(min(known)), float(max(known))
    if feature.kind == "integer":
        return random.integers(int(low), int(high) + 1, size=RANDOM_ROWS).astype(np.float64)
    return random.uniform(low, high, size=RANDOM_ROWS)


def _with_gaps(random: np.random.Generator, samples: Arrays, signature: Signature) -> Arrays:
    gaps = random.random((RANDOM_ROWS, len(signature.features))) < GAP_FRACTION
    return mask_values(samples, gaps, signature)


def _first_alone(samples: Arrays, signature: Signature) -> Arrays:
    all_but_first = np.arange(len(signature.features)).reshape(1, -1) > 0
    return mask_values(samples.take([0]), all_but_first, signature)
