"""What a model says of itself: the manifest that `chalicelib.manifest` reads."""

from __future__ import annotations

import hashlib
import json
import platform
from typing import Any

import numpy as np
import onnx
import onnxruntime
import skl2onnx
import sklearn
import skops
from sklearn.base import ClassifierMixin

from chalicelib.inputs.signature import Feature, Signature
from chalicelib.models.manifest import FORMAT
from training.data.arrays import Arrays, mask_values
from training.data.signature import known_values
from training.data.table import Table, call_estimator
from training.export.search import Exported

VERSION_DIGITS = 12


def describe(
    estimator: ClassifierMixin,
    table: Table,
    signature: Signature,
    exported: Exported,
    *,
    metrics: dict[str, Any],
    name: str,
) -> dict[str, Any]:
    """Describe a fitted classifier, all but its version and when it was made.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    table : Table
        What its ranges, medians, categories and examples are read from.
    signature : Signature
        What it takes.
    exported : Exported
        What it was exported to.
    metrics : dict
        How good it is.
    name : str
        The model's name.

    Returns
    -------
    dict
        The manifest, which can be written as JSON.
    """
    return {
        "format": FORMAT,
        "name": name,
        "runtime": exported.runtime,
        "signature": {
            "features": [
                _feature(feature, table, position)
                for position, feature in enumerate(signature.features)
            ],
            "classes": list(signature.classes),
            "probabilities": signature.has_probabilities,
            "nan_probabilities": exported.has_nan_probabilities,
        },
        "metrics": metrics,
        "comparison": exported.comparison._asdict(),
        "attempts": [
            {"strategy": attempt.strategy, "rejection": attempt.rejection}
            for attempt in exported.attempts
        ],
        "estimator": " ".join(str(estimator).split()),
        "libraries": {
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "skl2onnx": skl2onnx.__version__,
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            "skops": skops.__version__,
            "numpy": np.__version__,
        },
        "golden_samples": _golden_samples(estimator, table, signature),
    }


def _feature(feature: Feature, table: Table, position: int) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": feature.name,
        "kind": feature.kind,
        "required": feature.required,
    }
    known = known_values(table, position)
    if feature.kind in ("numeric", "integer"):
        column = table.column(position)
        document |= {
            "min": _json(known[0], feature),
            "max": _json(known[-1], feature),
            "median": float(np.nanmedian(column)),
        }
    if feature.kind == "categorical" or feature.categories is not None:
        document["categories"] = [_json(value, feature) for value in known]
        document["unknown_categories"] = "accepted" if feature.categories is None else "rejected"
    held = (_json(value, feature) for value in table.column(position).tolist())
    document["example"] = next(value for value in held if value is not None)
    return document


def _golden_samples(estimator: Any, table: Table, signature: Signature) -> dict[str, Any]:
    """Take a sample that is given each label and, if it may have gaps, one with all of them."""
    labels, _ = call_estimator(
        estimator, table.to_estimator_input(table.samples), probabilities=False
    )
    first_of_each = [labels.index(label) for label in dict.fromkeys(labels)]
    samples = table.samples.take(first_of_each)
    if not all(feature.required for feature in signature.features):
        everywhere = np.ones((1, len(signature.features)), dtype=np.bool_)
        samples = Arrays.concatenate(
            [samples, mask_values(table.samples.take([0]), everywhere, signature)]
        )
    labels, probabilities = call_estimator(
        estimator, table.to_estimator_input(samples), probabilities=signature.has_probabilities
    )
    return {
        "samples": _as_sent(samples, signature),
        "labels": labels,
        "probabilities": None if probabilities is None else probabilities.tolist(),
    }


def _as_sent(samples: Arrays, signature: Signature) -> list[list[Any]]:
    """Write samples as a client would send them, by position."""
    rows: list[list[Any]] = [[None] * len(signature.features) for _ in samples.numbers]
    for positions, part in (
        (signature.number_indices, samples.numbers),
        (signature.text_indices, samples.texts),
    ):
        for column, position in enumerate(positions):
            for row, value in zip(rows, part[:, column].tolist(), strict=True):
                row[position] = _json(value, signature.features[position])
    return rows


def _json(value: Any, feature: Feature) -> Any:
    """Give a value as JSON has it: numbers without a fraction, true and false, or null."""
    if value is None or value != value:
        return None
    if feature.kind == "boolean":
        return bool(value)
    return int(value) if feature.kind == "integer" else value


def compute_version(model: bytes, manifest: dict[str, Any]) -> str:
    """Name a version by what it holds: the same model with the same manifest is the same version.

    Parameters
    ----------
    model : bytes
        The model in its runtime's format.
    manifest : dict
        From `describe`.

    Returns
    -------
    str
        The first `VERSION_DIGITS` hex digits of the SHA-256 of both.
    """
    described = json.dumps(manifest, sort_keys=True).encode()
    return hashlib.sha256(model + described).hexdigest()[:VERSION_DIGITS]
