"""Samples to compare an exported model on: those of the table, and others made to differ.

Random samples never tie; real ones do, as their values are rounded. So some samples here have
rounded values, and some lie halfway between two others, where neighbours and bins tie.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt

from chalicelib.inputs.signature import Feature, Signature
from training.data.arrays import Arrays, mask_values
from training.data.signature import UNSEEN_CATEGORY, known_values
from training.data.table import Table

MAX_TABLE_ROWS = 50_000
RANDOM_ROWS = 5_000
TIED_ROWS = 1_000  # of each sort
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


def comparison_samples(table: Table, signature: Signature) -> Arrays:
    """Return the samples that models are compared on.

    They are those of the table (a random `MAX_TABLE_ROWS` of more), `TIED_ROWS` with rounded
    numbers, as many halfway between two others, and `RANDOM_ROWS` random ones: numbers uniform over
    their range, text from the table, in other spellings and, where the estimator accepts it,
    unseen. If features may be missing, there are as many random ones again with missing values, and
    one sample with its first feature alone.
    """
    random = np.random.default_rng(_SEED)
    samples = table.samples
    if len(table) > MAX_TABLE_ROWS:
        samples = samples.take(random.choice(len(table), MAX_TABLE_ROWS, replace=False).tolist())
    parts = [samples, _random_samples(random, table, signature)]
    if signature.number_indices:
        parts += [_rounded(random, table, signature), _halfway(random, table, signature)]
    if not all(feature.required for feature in signature.features):
        parts.append(_with_missing_values(random, parts[1], signature))
        parts.append(_first_feature_alone(samples, signature))
    return Arrays.concatenate(parts)


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
        choices = list(known) if feature.categories else _spellings([str(text) for text in known])
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


def _spellings(texts: list[str]) -> list[str]:
    """Return texts, other spellings of them, and texts that no table holds."""
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


def _rounded(random: np.random.Generator, table: Table, signature: Signature) -> Arrays:
    """Return samples of the table with numbers rounded to one or two digits."""
    samples = table.samples.take(random.integers(0, len(table), TIED_ROWS).tolist())
    numbers = samples.numbers.copy()
    for column, index in enumerate(signature.number_indices):
        if _is_free(signature.features[index]):
            digits = 1 + np.arange(TIED_ROWS) % 2
            rounded = _round_to_digits(numbers[:, column], digits)
            known = table.samples.numbers[:, column]
            known = known[np.isfinite(known)]
            if len(known):
                numbers[:, column] = rounded.clip(known.min(), known.max())
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


def _halfway(random: np.random.Generator, table: Table, signature: Signature) -> Arrays:
    """Return samples halfway between two samples of the table."""
    first, second = (
        table.samples.take(random.integers(0, len(table), TIED_ROWS).tolist()) for _ in range(2)
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
    mask = random.random((RANDOM_ROWS, len(signature.features))) < MISSING_FRACTION
    return mask_values(samples, mask, signature)


def _first_feature_alone(samples: Arrays, signature: Signature) -> Arrays:
    all_but_first = np.arange(len(signature.features)).reshape(1, -1) > 0
    return mask_values(samples.take([0]), all_but_first, signature)
