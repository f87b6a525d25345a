"""Build a model's manifest, the JSON that `chalicelib.models.manifest` reads."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Collection
from typing import Any

import numpy as np
import onnx
import onnxruntime
import skl2onnx
import sklearn
import skops
from sklearn.base import ClassifierMixin

from chalicelib.inputs.signature import Signature
from chalicelib.models.manifest import FORMAT
from chalicelib.runtimes.onnx_classifier import MAX_ROWS_PER_RUN, MAX_VALUES_PER_RUN
from training.data.table import Table
from training.disclosure import describe_estimator, describe_feature, make_example
from training.distribution import describe_distribution
from training.errors import NotServable, first_line
from training.export.search import Exported
from training.golden_samples import free_texts, golden_samples

VERSION_DIGITS = 12

# A server runs its largest parts of a batch with so many values for each sample.
_FEW_VALUES = MAX_VALUES_PER_RUN // MAX_ROWS_PER_RUN


def build_manifest(
    estimator: ClassifierMixin,
    table: Table,
    signature: Signature,
    exported: Exported,
    *,
    metrics: dict[str, Any],
    name: str,
    predicted: list[str],
    is_measured: bool = False,
    private: Collection[str] = (),
) -> dict[str, Any]:
    """Describe an exported classifier; the caller adds ``version`` and ``created_at``.

    Ranges, medians, categories and examples of the features come from `table`, except of the
    features named in `private`; `predicted` are the labels that the estimator predicts for it,
    and `is_measured` is true if the metrics are those of `training.evaluation.evaluate`.
    """
    return {
        "format": FORMAT,
        "name": name,
        "runtime": exported.runtime,
        "signature": {
            "features": _describe_features(estimator, table, signature, predicted, private),
            "classes": list(signature.classes),
            "probabilities": signature.has_probabilities,
            "nan_probabilities": exported.has_nan_probabilities,
            "largest_number": exported.largest_number,
            **_describe_input(signature),
        },
        "metrics": metrics,
        "comparison": exported.comparison._asdict(),
        "attempts": [
            {"strategy": attempt.strategy, "rejection": attempt.rejection}
            for attempt in exported.attempts
        ],
        "estimator": describe_estimator(estimator),
        "libraries": {
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "skl2onnx": skl2onnx.__version__,
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            "skops": skops.__version__,
            "numpy": np.__version__,
        },
        "text_encoders": exported.text_encoders,
        **({"row_values": exported.row_values} if exported.row_values > _FEW_VALUES else {}),
        "golden_samples": golden_samples(
            estimator, table, signature, predicted, free_texts(table, signature, exported)
        ),
        "distribution": describe_distribution(
            table,
            signature,
            predicted=predicted,
            metrics=metrics if is_measured else None,
            private=private,
        ),
    }


def check_metrics(metrics: Any) -> dict[str, Any] | None:
    """Return the user's metrics as JSON types; raise `NotServable` if JSON cannot hold them."""
    if metrics is None:
        return None
    if not isinstance(metrics, dict):
        raise NotServable(f"metrics must be a dict, not {type(metrics).__name__}.")
    try:
        text = json.dumps(metrics, default=_numpy_to_json, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotServable(
            "metrics must be what JSON can hold: numbers but NaN, texts, lists and dicts with text "
            f"as keys. {first_line(error)}"
        ) from error
    document: dict[str, Any] = json.loads(text)
    return document


def listed_accuracy(manifest: dict[str, Any]) -> float | None:
    """Return the accuracy of a manifest; None if its metrics, of any shape, have none."""
    metrics = manifest.get("metrics")
    accuracy = metrics.get("accuracy") if isinstance(metrics, dict) else None
    if isinstance(accuracy, dict):
        accuracy = accuracy.get("estimate")
    is_number = isinstance(accuracy, int | float) and not isinstance(accuracy, bool)
    return accuracy if is_number else None


def _numpy_to_json(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not a JSON type")


def _describe_input(signature: Signature) -> dict[str, Any]:
    """Return what `Signature.from_document` reads about an estimator's input, if it is unusual."""
    document: dict[str, Any] = {}
    if signature.unused_columns:
        document["unused_columns"] = list(signature.unused_columns)
    if signature.is_text_sequence:
        document["text_sequence"] = True
    return document


def compute_version(model: bytes, manifest: dict[str, Any]) -> str:
    """Return the first `VERSION_DIGITS` hex digits of the SHA-256 of the model and its manifest."""
    manifest_json = json.dumps(manifest, sort_keys=True).encode()
    return hashlib.sha256(model + manifest_json).hexdigest()[:VERSION_DIGITS]


def _describe_features(
    estimator: Any,
    table: Table,
    signature: Signature,
    predicted: list[str],
    private: Collection[str],
) -> list[dict[str, Any]]:
    features = [
        describe_feature(feature, table, index, is_private=feature.name in private)
        for index, feature in enumerate(signature.features)
    ]
    example = make_example(estimator, table, signature, features, predicted)
    for feature, value in zip(features, example or [], strict=False):
        if value is not None:
            feature["example"] = value
    return features
