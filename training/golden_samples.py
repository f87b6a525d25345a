"""Samples of the training data that are kept or measured, without what people wrote."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import numpy as np

from chalicelib.inputs.samples import Samples
from chalicelib.inputs.signature import Signature
from training.data.arrays import Arrays, mask_values
from training.data.signature import known_values
from training.data.table import Table, call_estimator
from training.disclosure import to_json
from training.export.search import Exported

# Texts of a feature that takes any are kept if they are few, short and not counted by words.
MAX_KEPT_CATEGORIES = 100
MAX_CATEGORY_CHARACTERS = 100
KEPT_WORDS = 8
_WORD = re.compile(r"\w+")

# Different samples that the model's time is measured with; fewer if they have many values.
_TIMED_ROWS = 1_000
_TIMED_VALUES = 500_000


def free_texts(table: Table, signature: Signature, exported: Exported) -> set[int]:
    """Return the indices of the features that take any text, and whose texts are not kept."""
    counted = {e["feature"] for e in exported.text_encoders if "categories" not in e}
    free = set()
    for index in signature.text_indices:
        known = [str(value) for value in known_values(table, index)]
        is_list = len(known) <= MAX_KEPT_CATEGORIES and all(
            len(text) <= MAX_CATEGORY_CHARACTERS for text in known
        )
        is_counted = index in counted or signature.is_text_sequence
        if signature.features[index].categories is None and (is_counted or not is_list):
            free.add(index)
    return free


def golden_samples(
    estimator: Any,
    table: Table,
    signature: Signature,
    predicted: list[str],
    free: Collection[int],
) -> dict[str, Any]:
    """Predict one sample of each predicted class and, where allowed, one of missing values."""
    samples = _take(table, [predicted.index(label) for label in dict.fromkeys(predicted)], free)
    if not all(feature.required for feature in signature.features):
        all_features = np.ones((1, len(signature.features)), dtype=np.bool_)
        masked = mask_values(table.samples.take([0]), all_features, signature)
        samples = Arrays.concatenate([samples, masked])
    labels, probabilities = call_estimator(
        estimator,
        table.to_estimator_input(samples),
        probabilities=signature.has_probabilities,
    )
    return {
        "samples": _to_rows(samples, signature),
        "labels": labels,
        "probabilities": None if probabilities is None else probabilities.tolist(),
    }


def timed_samples(table: Table, signature: Signature, free: Collection[int]) -> Samples:
    """Return samples from everywhere in the table, to measure the time that the model takes.

    Their texts are short: the time that long ones take is bounded by their characters.
    """
    rows = min(len(table), _TIMED_ROWS, max(1, _TIMED_VALUES // len(signature.features)))
    return _take(
        table, np.linspace(0, len(table) - 1, rows).astype(int).tolist(), free
    ).to_samples()


def _take(table: Table, indices: list[int], free: Collection[int]) -> Arrays:
    """Copy samples, with a few words of each text that is not kept."""
    samples = table.samples.take(indices)
    for index in free:
        texts = table.column_of(samples, index)
        texts[:] = [None if text is None else _some_words(text) for text in texts]
    return samples


def _some_words(text: str) -> str:
    """Return a few words of a text in another order: what people wrote is not kept."""
    words = sorted(set(_WORD.findall(text)))[:KEPT_WORDS]
    return " ".join(words)[:MAX_CATEGORY_CHARACTERS]


def _to_rows(samples: Arrays, signature: Signature) -> list[list[Any]]:
    """Convert samples to the rows of a request, values in the order of the features."""
    rows: list[list[Any]] = [[None] * len(signature.features) for _ in samples.numbers]
    for indices, values in (
        (signature.number_indices, samples.numbers),
        (signature.text_indices, samples.texts),
    ):
        for column, index in enumerate(indices):
            for row, value in zip(rows, values[:, column].tolist(), strict=True):
                row[index] = to_json(value, signature.features[index])
    return rows
