"""Which values of samples are unlike the training data."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from operator import ne
from typing import NamedTuple

from chalicelib.inputs.samples import Samples
from chalicelib.models.manifest import Manifest

# Of a larger batch, as many cells are counted, of rows at equal distances: an estimate.
MAX_COUNTED_CELLS = 4_000


class UnusualValues(NamedTuple):
    """How many values of some samples are missing or unlike the training data."""

    missing: int = 0
    out_of_range: int = 0  # numbers below the minimum or above the maximum
    unseen: int = 0  # texts that are none of the known categories


def find_out_of_range(samples: Samples, manifest: Manifest) -> list[str]:
    """Return the features of a single sample that are outside their range in the training data.

    They are numbers below the minimum or above the maximum, and texts that are none of the known
    categories. Missing values, private features and features without a range are left out.
    """
    signature, numbers = manifest.signature, samples.numbers
    names = [
        name
        for column, low, high, name in signature.ranges
        if numbers[column] < low or numbers[column] > high
    ]
    for encoder in manifest.text_encoders:
        feature = signature.features[encoder["feature"]]
        if "categories" in encoder and not feature.is_private and feature.name not in names:
            text = samples.texts[signature.text_indices.index(encoder["feature"])]
            if text is not None and text not in encoder["categories"]:
                names.append(feature.name)
    return names


def count_unusual(
    samples: Samples, manifest: Manifest, out_of_range: Sequence[str]
) -> UnusualValues:
    """Count the values of samples that are missing or unlike the training data.

    Parameters
    ----------
    samples : Samples
    manifest : Manifest
    out_of_range : list of str
        Of a single sample, what `find_out_of_range` returned.

    Returns
    -------
    UnusualValues
        Of more than `MAX_COUNTED_CELLS` values, an estimate from some of the samples.
    """
    if samples.rows == 1:
        missing = _count_nan(samples.numbers) + samples.texts.count(None)
        if not out_of_range:
            return UnusualValues(missing)
        texts = {manifest.signature.features[i].name for i in manifest.signature.text_indices}
        unseen = sum(name in texts for name in out_of_range)
        return UnusualValues(missing, len(out_of_range) - unseen, unseen)
    rows = samples.rows
    step = max(1, -(-(len(samples.numbers) + len(samples.texts)) // MAX_COUNTED_CELLS))
    counted = -(-rows // step)
    counts = _count_columns(samples, manifest, step)
    return (
        counts if counted == rows else UnusualValues(*(round(n * rows / counted) for n in counts))
    )


def _count_columns(samples: Samples, manifest: Manifest, step: int) -> UnusualValues:
    """Count in every `step`-th sample, column by column."""
    signature = manifest.signature
    missing = out_of_range = unseen = 0
    numbers, width = samples.numbers, len(signature.number_indices)
    if width:
        ranges = {column: (low, high) for column, low, high, _ in signature.ranges}
        for column in range(width):
            values = numbers[column :: width * step]
            missing += _count_nan(values)
            if column in ranges:
                out_of_range += _count_outside(values, *ranges[column])
    texts, width = samples.texts, len(signature.text_indices)
    categories = {
        encoder["feature"]: encoder["categories"]
        for encoder in manifest.text_encoders
        if "categories" in encoder
    }
    for column, index in enumerate(signature.text_indices):
        present = [text for text in texts[column :: width * step] if text is not None]
        missing += len(texts[column :: width * step]) - len(present)
        if index in categories and not signature.features[index].is_private:
            unknown = set(present).difference(categories[index])
            unseen += sum(text in unknown for text in present) if unknown else 0
    return UnusualValues(missing, out_of_range, unseen)


def _count_nan(numbers: array[float]) -> int:
    total = sum(numbers)
    return 0 if total == total else sum(map(ne, numbers, numbers))


def _count_outside(numbers: array[float], low: float, high: float) -> int:
    if low <= min(numbers) and max(numbers) <= high:  # false if the first number is NaN
        return 0
    return sum(number < low or number > high for number in numbers)
