"""Which values of samples are unlike the training data."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from operator import ne

from chalicelib.inputs.samples import Samples
from chalicelib.models.manifest import Manifest

# Of a larger batch, as many cells are counted, of rows at equal distances: an estimate.
MAX_COUNTED_CELLS = 4_000


# How many values of some samples are missing, are numbers outside their range, or are texts that
# are none of the known categories.
Unusual = tuple[int, int, int]


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


def count_unusual(samples: Samples, manifest: Manifest, out_of_range: Sequence[str]) -> Unusual:
    """Count the values of samples that are missing or unlike the training data.

    Of more than `MAX_COUNTED_CELLS` values, the counts are estimates. `out_of_range` is, of a
    single sample, what `find_out_of_range` returned.
    """
    rows = samples.rows
    if rows == 1:
        missing = _count_nan(samples.numbers) + samples.texts.count(None)
        if not out_of_range:
            return missing, 0, 0
        signature = manifest.signature
        texts = {signature.features[index].name for index in signature.text_indices}
        unseen = sum(name in texts for name in out_of_range)
        return missing, len(out_of_range) - unseen, unseen
    step = max(1, -(-(len(samples.numbers) + len(samples.texts)) // MAX_COUNTED_CELLS))
    counted = -(-rows // step)
    number_counts = _count_numbers(samples.numbers, manifest, step)
    text_counts = _count_texts(samples.texts, manifest, step)
    missing, out, unseen = map(sum, zip(number_counts, text_counts, strict=True))
    scale = rows / counted
    return round(missing * scale), round(out * scale), round(unseen * scale)


def _count_numbers(numbers: array[float], manifest: Manifest, step: int) -> Unusual:
    """Count in the numbers of every `step`-th sample, column by column."""
    signature = manifest.signature
    width = len(signature.number_indices)
    ranges = {column: (low, high) for column, low, high, _ in signature.ranges}
    missing = out_of_range = 0
    for column in range(width):
        values = numbers[column :: width * step]
        missing += _count_nan(values)
        if column in ranges:
            out_of_range += _count_outside(values, *ranges[column])
    return missing, out_of_range, 0


def _count_texts(texts: list[str | None], manifest: Manifest, step: int) -> Unusual:
    """Count in the texts of every `step`-th sample, column by column."""
    signature = manifest.signature
    width = len(signature.text_indices)
    categories = {
        encoder["feature"]: encoder["categories"]
        for encoder in manifest.text_encoders
        if "categories" in encoder
    }
    missing = unseen = 0
    for column, index in enumerate(signature.text_indices):
        values = texts[column :: width * step]
        missing += values.count(None)
        if index in categories and not signature.features[index].is_private:
            unknown = set(values).difference(categories[index], [None])
            unseen += sum(text in unknown for text in values) if unknown else 0
    return missing, 0, unseen


def _count_nan(numbers: array[float]) -> int:
    total = sum(numbers)
    return 0 if total == total else sum(map(ne, numbers, numbers))


def _count_outside(numbers: array[float], low: float, high: float) -> int:
    if low <= min(numbers) and max(numbers) <= high:  # false if the first number is NaN
        return 0
    return sum(number < low or number > high for number in numbers)
