"""Build a model's manifest, the JSON that `chalicelib.models.manifest` reads."""

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


def build_manifest(
    estimator: ClassifierMixin,
    table: Table,
    signature: Signature,
    exported: Exported,
    *,
    metrics: dict[str, Any],
    name: str,
) -> dict[str, Any]:
    """Describe an exported classifier; the caller adds ``version`` and ``created_at``.

    Ranges, medians, categories and examples of the features come from `table`.
    """
    return {
        "format": FORMAT,
        "name": name,
        "runtime": exported.runtime,
        "signature": {
            "features": [
                _describe_feature(feature, table, index)
                for index, feature in enumerate(signature.features)
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


def compute_version(model: bytes, manifest: dict[str, Any]) -> str:
    """Return the first `VERSION_DIGITS` hex digits of the SHA-256 of the model and its manifest."""
    manifest_json = json.dumps(manifest, sort_keys=True).encode()
    return hashlib.sha256(model + manifest_json).hexdigest()[:VERSION_DIGITS]


def _describe_feature(feature: Feature, table: Table, index: int) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": feature.name,
        "kind": feature.kind,
        "required": feature.required,
    }
    known = known_values(table, index)
    column = table.column(index)
    if feature.kind in ("numeric", "integer"):
        document |= {
            "min": _to_json(known[0], feature),
            "max": _to_json(known[-1], feature),
            "median": float(np.nanmedian(column)),
        }
    if feature.kind == "categorical" or feature.categories is not None:
        document["categories"] = [_to_json(value, feature) for value in known]
        document["unknown_categories"] = "accepted" if feature.categories is None else "rejected"
    values = (_to_json(value, feature) for value in column.tolist())
    document["example"] = next(value for value in values if value is not None)
    return document


def _golden_samples(estimator: Any, table: Table, signature: Signature) -> dict[str, Any]:
    """Predict one sample of each predicted class and, where allowed, one of missing values."""
    X = table.to_estimator_input(table.samples)
    labels, _ = call_estimator(estimator, X, probabilities=False)
    samples = table.samples.take([labels.index(label) for label in dict.fromkeys(labels)])
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


def _to_rows(samples: Arrays, signature: Signature) -> list[list[Any]]:
    """Convert samples to the rows of a request, values in the order of the features."""
    rows: list[list[Any]] = [[None] * len(signature.features) for _ in samples.numbers]
    for indices, values in (
        (signature.number_indices, samples.numbers),
        (signature.text_indices, samples.texts),
    ):
        for column, index in enumerate(indices):
            for row, value in zip(rows, values[:, column].tolist(), strict=True):
                row[index] = _to_json(value, signature.features[index])
    return rows


def _to_json(value: Any, feature: Feature) -> Any:
    """Convert a value to the JSON type of its feature, a missing one to None."""
    if value is None or value != value:
        return None
    if feature.kind == "boolean":
        return bool(value)
    return int(value) if feature.kind == "integer" else value
