"""Build an artifact: the model, its manifest and a footer in one file.

`chalicelib.models.artifact` describes the format and reads it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
import pandas as pd
from sklearn.base import ClassifierMixin, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from chalicelib.models.artifact import FOOTER_BYTES, make_footer
from chalicelib.models.model import load_model
from training.data.signature import infer_signature
from training.data.table import Table, call_estimator
from training.errors import NotServable
from training.export.comparison import Comparison
from training.export.search import Attempt, export
from training.export.skops_export import add_members
from training.manifest import build_manifest, compute_version

_MANIFEST_KEY = "wine-classifier.manifest"
_FOOTER_KEY = "wine-classifier.footer"
_MANIFEST_MEMBER = "wine-classifier.manifest.json"


class BuiltModel(NamedTuple):
    """A model ready to publish.

    Parameters
    ----------
    artifact : bytes
        The whole file.
    version : str
        12 hex digits, computed from the model and its manifest.
    runtime : {"onnx", "sklearn"}
        What runs the model.
    comparison : Comparison
        How far its predictions are from scikit-learn's.
    attempts : list of Attempt
        The export strategies tried; the last one was accepted.
    """

    artifact: bytes
    version: str
    runtime: str
    comparison: Comparison
    attempts: list[Attempt]


def build_artifact(
    estimator: ClassifierMixin,
    X: Any,
    y: npt.ArrayLike,
    *,
    name: str,
    feature_names: list[str] | None = None,
    metrics: dict[str, Any] | None = None,
    runtime: str | None = None,
) -> BuiltModel:
    """Export a fitted classifier, compare it with scikit-learn and write it as an artifact.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like or pandas.DataFrame
        Shape (samples, features): the training data, or data like it. The types, ranges and
        categories of the columns define what a request may contain.
    y : array-like
        Shape (samples,): the labels.
    name : str
        The model's name.
    feature_names : list of str, optional
        Names of the columns of `X`. Default: the frame's, or ``x0``, ``x1``, ...
    metrics : dict, optional
        Metrics for the manifest, as JSON types, with ``metrics["accuracy"]["estimate"]``.
        Default: the accuracy on `X` and `y`.
    runtime : {"onnx", "sklearn"}, optional
        The runtime to export for. Default: ONNX if it predicts exactly what scikit-learn does,
        else scikit-learn.

    Returns
    -------
    BuiltModel

    Raises
    ------
    NotServable
        If `estimator` is not a fitted classifier with one output, or `X` and `y` do not fit it.
    NotExportable
        If no exported form predicts exactly what the estimator does.
    """
    table, labels = _validate(estimator, X, y, feature_names)
    signature = infer_signature(estimator, table)
    exported = export(estimator, table, signature, runtime=runtime)
    manifest = build_manifest(
        estimator,
        table,
        signature,
        exported,
        metrics=metrics or _training_accuracy(estimator, table, labels),
        name=name,
    )
    version = compute_version(exported.model, manifest)
    created_at = datetime.now(UTC).isoformat(timespec="microseconds")
    manifest |= {"version": version, "created_at": created_at}
    artifact = _FORMATS[exported.runtime](exported.model, json.dumps(manifest))
    load_model(artifact)  # a server must be able to load it
    return BuiltModel(artifact, version, exported.runtime, exported.comparison, exported.attempts)


def _validate(
    estimator: Any, X: Any, y: npt.ArrayLike, feature_names: list[str] | None
) -> tuple[Table, list[str]]:
    """Return the table and the labels as text, or raise `NotServable`."""
    estimator_name = type(estimator).__name__
    if not is_classifier(estimator):
        raise NotServable(f"{estimator_name} is not a classifier.")
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise NotServable(f"{estimator_name} has not been fitted yet.") from None
    labels = np.asarray(y)
    if labels.ndim != 1 or isinstance(getattr(estimator, "classes_", None), list):
        raise NotServable(
            f"{estimator_name} has more than one output; a served classifier has exactly one."
        )
    if pd.isna(labels).any():
        raise NotServable("There are missing values among the labels.")
    table = Table(X, feature_names)
    if len(table) != len(labels):
        raise NotServable(f"X has {len(table)} samples, but y has {len(labels)} labels.")
    expected = getattr(estimator, "n_features_in_", len(table.names))
    if len(table.names) != expected:
        raise NotServable(
            f"X has {len(table.names)} features; {estimator_name} was fitted on {expected}."
        )
    return table, [str(label) for label in labels.tolist()]


def _training_accuracy(estimator: Any, table: Table, labels: list[str]) -> dict[str, Any]:
    X = table.to_estimator_input(table.samples)
    predicted, _ = call_estimator(estimator, X, probabilities=False)
    return {
        "accuracy": {
            "estimate": float(accuracy_score(labels, predicted)),
            "method": "on the samples passed to publish",
        }
    }


def _onnx_artifact(model: bytes, manifest: str) -> bytes:
    model_and_manifest = model + _metadata_entry(_MANIFEST_KEY, manifest)
    # The value of a serialized entry is its last bytes, so that the footer ends the file.
    placeholder = _metadata_entry(_FOOTER_KEY, "-" * FOOTER_BYTES)
    content = model_and_manifest + placeholder[:-FOOTER_BYTES]
    return content + make_footer(content, len(model_and_manifest) - len(manifest), len(manifest))


def _metadata_entry(key: str, value: str) -> bytes:
    """Serialize an entry of ``metadata_props`` that can be appended to an ONNX file.

    Protobuf reads concatenated messages as one. Source:
    https://protobuf.dev/programming-guides/encoding/#last-one-wins
    """
    entry = onnx.StringStringEntryProto(key=key, value=value)
    serialized: bytes = onnx.ModelProto(metadata_props=[entry]).SerializeToString()
    return serialized


def _skops_artifact(model: bytes, manifest: str) -> bytes:
    member = {_MANIFEST_MEMBER: manifest.encode()}
    # The comment of a zip archive is its last bytes, so that the footer ends the file.
    content = add_members(model, member, comment=b"-" * FOOTER_BYTES)[:-FOOTER_BYTES]
    return content + make_footer(content, content.rindex(manifest.encode()), len(manifest))


_FORMATS = {"onnx": _onnx_artifact, "sklearn": _skops_artifact}
