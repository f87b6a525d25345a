"""Samples to compare an exported model on: those of the table, and others made to differ.

Random samples never tie; real ones do, as their values are rounded. So some samples here have
rounded values, and some lie halfway between two others, where neighbours and bins tie.
"""

from __future__ import annotations

import unicodedata
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from chalicelib.inputs.signature import Feature, Signature
from training.data.arrays import Arrays, mask_values
from training.data.signature import UNSEEN_CATEGORY, known_values, value_range
from training.data.table import Table

MAX_TABLE_ROWS = 50_000
RANDOM_ROWS = 5_000
TIED_ROWS = 1_000  # of each sort

# Fewer samples are compared where each is wide, or takes long to predict.
MAX_VALUES = 20_000_000  # samples x features, 160 MB
MAX_OPERATIONS = 2_000_000_000  # samples x numbers that the estimator works with
MIN_ROWS = 1_000
ROWS_OF_EACH_CLASS = 10  # of the table, at least, if it has as many
MISSING_FRACTION = 0.2
MAX_EXTREME_FEATURES = 50
_SEED = 0

# Texts that tokenizers, case mappings and encodings treat differently.
_ODD_TEXTS = (
    "",
    " ",
    "naïve café e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}",
    "İstanbul \N{LATIN SMALL LETTER DOTLESS I} STRASSE straße ΑΣ ας",
    "\N{LATIN SMALL LIGATURE FI}ne \N{LATIN SMALL LIGATURE FFI}ne",
    "don't stop-word, e.g. a.b_c: 12 3.5 x2",
    "  two  spaces\tand\na line ",
    "\N{GRINNING FACE} \N{FAMILY} 日本語 العربية हिन्दी",
    "\0 \N{NO-BREAK SPACE}x\N{EM SPACE}y\N{ZERO WIDTH JOINER}",
    "nan",
    "None",
    "long " * 200,
)


class Sizes(NamedTuple):
    """How many samples are compared, at most."""

    table: int  # of the table
    random: int  # twice, if features may be missing
    tied: int  # rounded, and as many halfway between two


def comparison_sizes(width: int, operations: int) -> Sizes:
    """Return how many samples are compared.

    Parameters
    ----------
    width : int
        Number of features.
    operations : int
        How many numbers the estimator works with to predict a sample.
    """
    most = max(MIN_ROWS, min(MAX_VALUES // width, MAX_OPERATIONS // max(1, operations)))
    return Sizes(
        min(MAX_TABLE_ROWS, most // 2), min(RANDOM_ROWS, most // 4), min(TIED_ROWS, most // 8)
    )


def choose_rows(labels: npt.NDArray[Any], count: int) -> list[int]:
    """Choose rows of a table at random, `ROWS_OF_EACH_CLASS` at least.

    With more classes than `count`, there is one row of each.
    """
    random = np.random.default_rng(_SEED)
    shuffled = random.permutation(len(labels))
    codes = pd.Series(pd.factorize(labels)[0][shuffled])
    position_in_class = codes.groupby(codes).cumcount().to_numpy()
    order = np.argsort(np.minimum(position_in_class, ROWS_OF_EACH_CLASS), kind="stable")
    chosen = shuffled[order[: max(count, int(codes.nunique()))]]
    rows: list[int] = np.sort(chosen).tolist()
    return rows


def comparison_samples(
    table: Table, signature: Signature, rows: list[int], sizes: Sizes
) -> tuple[Arrays, Arrays]:
    """Return the samples that models are compared on: those made to differ, and the table's.

    The latter are the `rows`. The others are samples with rounded numbers, as many halfway between
    two others, and random ones: numbers uniform over their range, text from the table, in other
    spellings and, where the estimator accepts it, unseen. If features may be missing, there are as
    many random ones again with missing values, and one sample with its first feature alone.
    """
    random = np.random.default_rng(_SEED)
    samples = table.samples.take(rows)
    parts = [_random_samples(random, table, signature, sizes.random)]
    if signature.number_indices:
        parts += [
            _rounded(random, table, signature, sizes.tied),
            _halfway(random, table, signature, sizes.tied),
        ]
    if not all(feature.required for feature in signature.features):
        parts.append(_with_missing_values(random, parts[0], signature))
        parts.append(_first_feature_alone(samples, signature))
    return Arrays.concatenate(parts), samples


def extreme_samples(table: Table, signature: Signature, largest: float) -> Arrays:
    """Return copies of the first sample with extreme numbers, up to `largest`, in one feature.

    The last two have the largest and the smallest number in all features.
    """
    free = np.array(
        [
            column
            for column, index in enumerate(signature.number_indices)
            if _is_free(signature.features[index])
        ],
        dtype=int,
    )
    if not len(free):
        return table.samples.take([])
    values = [largest, -largest, 0.0, -0.0, 1e-310, 2.0**53, -(2.0**53), 3.5e38, 1e15]
    values = [value for value in values if abs(value) <= largest]
    rows = []
    for column in free[:MAX_EXTREME_FEATURES]:
        for value in values:
            row = table.samples.numbers[0].copy()
            row[column] = value
            rows.append(row)
    for value in (largest, -largest):
        row = table.samples.numbers[0].copy()
        row[free] = value
        rows.append(row)
    return Arrays(np.array(rows), np.repeat(table.samples.texts[:1], len(rows), axis=0))


def _is_free(feature: Feature) -> bool:
    """Return whether a feature accepts any number."""
    return feature.kind == "numeric" and feature.categories is None


def _random_samples(
    random: np.random.Generator, table: Table, signature: Signature, size: int
) -> Arrays:
    columns = [
        _random_column(random, feature, table, index, size)
        for index, feature in enumerate(signature.features)
    ]
    numbers = [columns[index] for index in signature.number_indices]
    texts = [columns[index] for index in signature.text_indices]
    return Arrays.from_columns(size, numbers, texts)


def _random_column(
    random: np.random.Generator, feature: Feature, table: Table, index: int, size: int
) -> npt.NDArray[Any]:
    if feature.categories:
        dtype = np.object_ if feature.kind == "categorical" else np.float64
        return random.choice(np.array(sorted(feature.categories), dtype=dtype), size=size)
    if feature.kind == "categorical":
        texts = [str(text) for text in known_values(table, index)]
        choices = np.array(_spellings(random, texts, size), dtype=np.object_)
        return random.choice(choices, size=size)
    if feature.kind == "boolean":
        return random.integers(0, 2, size=size).astype(np.float64)
    low, high = value_range(table.column(index))
    if feature.kind == "integer":
        return random.integers(int(low), int(high) + 1, size=size).astype(np.float64)
    return random.uniform(low, high, size=size)


def _spellings(random: np.random.Generator, texts: list[str], size: int) -> list[str]:
    """Return texts, `size` of more, other spellings of them, and texts that no table holds."""
    if len(texts) > size:
        texts = random.choice(np.array(texts, dtype=np.object_), size, replace=False).tolist()
    changes = (
        str,
        str.upper,
        str.lower,
        str.title,
        str.swapcase,
        lambda text: f" {text} ",
        lambda text: f"{text}, {text}!",
        lambda text: unicodedata.normalize("NFD", text),
    )
    changed = [change(text) for text in texts for change in changes]
    # Every known text is as likely as all others together.
    others = [*dict.fromkeys(changed), *_ODD_TEXTS, UNSEEN_CATEGORY]
    return [*texts * max(1, len(others) // max(1, len(texts))), *others]


def _rounded(random: np.random.Generator, table: Table, signature: Signature, size: int) -> Arrays:
    """Return samples of the table with numbers rounded to one or two digits."""
    samples = table.samples.take(random.integers(0, len(table), size).tolist())
    numbers = samples.numbers.copy()
    for column, index in enumerate(signature.number_indices):
        if _is_free(signature.features[index]):
            digits = 1 + np.arange(size) % 2
            rounded = _round_to_digits(numbers[:, column], digits)
            numbers[:, column] = rounded.clip(*value_range(table.samples.numbers[:, column]))
    return Arrays(numbers, samples.texts)


def _round_to_digits(
    values: npt.NDArray[np.float64], digits: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """Round to significant digits."""
    size = np.abs(np.where(np.isfinite(values) & (values != 0.0), values, 1.0))
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(size)))
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.round(values * scale) / scale
    return np.where(np.isfinite(rounded) | np.isnan(values), rounded, values)


def _halfway(random: np.random.Generator, table: Table, signature: Signature, size: int) -> Arrays:
    """Return samples halfway between two samples of the table."""
    first, second = (
        table.samples.take(random.integers(0, len(table), size).tolist()) for _ in range(2)
    )
    numbers = first.numbers.copy()
    for column, index in enumerate(signature.number_indices):
        feature = signature.features[index]
        middle = first.numbers[:, column] / 2 + second.numbers[:, column] / 2
        if feature.categories is None and feature.kind != "boolean":
            usable = np.isfinite(middle)
            middle = np.floor(middle) if feature.kind == "integer" else middle
            numbers[usable, column] = middle[usable]
    return Arrays(numbers, first.texts)


def _with_missing_values(
    random: np.random.Generator, samples: Arrays, signature: Signature
) -> Arrays:
    mask = random.random((len(samples.numbers), len(signature.features))) < MISSING_FRACTION
    return mask_values(samples, mask, signature)


def _first_feature_alone(samples: Arrays, signature: Signature) -> Arrays:
    all_but_first = np.arange(len(signature.features)).reshape(1, -1) > 0
    return mask_values(samples.take([0]), all_but_first, signature)
