"""Builds the one file that `chalicelib.artifact` reads: a model, its manifest and its seal."""

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
from training.manifest import compute_version, describe

_MANIFEST_KEY = "wine-classifier.manifest"
_FOOTER_KEY = "wine-classifier.footer"
_MANIFEST_MEMBER = "wine-classifier.manifest.json"


class BuiltModel(NamedTuple):
    """A model that can be published.

    Parameters
    ----------
    artifact : bytes
        The whole file.
    version : str
        Its version.
    runtime : str
        What runs it.
    comparison : Comparison
        How near it comes to scikit-learn.
    attempts : list of Attempt
        What was tried; the last is what was taken.
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
    """Make the file that is published of a fitted classifier.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like or pandas.DataFrame
        Shape (samples, features): samples like those it was fitted on.
    y : array-like
        Shape (samples,): their classes.
    name : str
        The model's name.
    feature_names : list of str, optional
        The names of the columns of `X`; without them, those of the frame, or ``x0``, ``x1`` and
        so on.
    metrics : dict, optional
        How good it is; without it, its accuracy on `X` and `y`.
    runtime : str, optional
        What must run it; see `training.export.export`.

    Returns
    -------
    BuiltModel

    Raises
    ------
    NotServable
        If this is not a fitted classifier, or the samples do not fit it.
    NotExportable
        If nothing that it can be exported to answers as scikit-learn does.
    """
    table, labels = _checked(estimator, X, y, feature_names)
    signature = infer_signature(estimator, table)
    exported = export(estimator, table, signature, runtime=runtime)
    manifest = describe(
        estimator,
        table,
        signature,
        exported,
        metrics=metrics or _accuracy_on(estimator, table, labels),
        name=name,
    )
    version = compute_version(exported.model, manifest)
    created_at = datetime.now(UTC).isoformat(timespec="microseconds")
    manifest |= {"version": version, "created_at": created_at}
    artifact = _FORMATS[exported.runtime](exported.model, json.dumps(manifest))
    load_model(artifact)
    return BuiltModel(artifact, version, exported.runtime, exported.comparison, exported.attempts)


def _checked(
    estimator: Any, X: Any, y: npt.ArrayLike, feature_names: list[str] | None
) -> tuple[Table, list[str]]:
    """Refuse what cannot be served; else give the samples, and their classes as text."""
    kind = type(estimator).__name__
    if not is_classifier(estimator):
        raise NotServable(f"{kind} is not a classifier.")
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise NotServable(f"{kind} has not been fitted yet.") from None
    labels = np.asarray(y)
    if labels.ndim != 1 or isinstance(getattr(estimator, "classes_", None), list):
        raise NotServable(f"{kind} has more than one output: one class for each sample is served.")
    if pd.isna(labels).any():
        raise NotServable("There are missing values among the classes.")
    table = Table(X, feature_names)
    if len(table) != len(labels):
        raise NotServable(f"There are {len(table)} samples, but {len(labels)} classes.")
    expected = getattr(estimator, "n_features_in_", len(table.names))
    if len(table.names) != expected:
        raise NotServable(f"X has {len(table.names)} features; {kind} was fitted on {expected}.")
    return table, [str(label) for label in labels.tolist()]


def _accuracy_on(estimator: Any, table: Table, labels: list[str]) -> dict[str, Any]:
    predicted, _ = call_estimator(
        estimator, table.to_estimator_input(table.samples), probabilities=False
    )
    return {
        "accuracy": {
            "estimate": float(accuracy_score(labels, predicted)),
            "method": "on the samples given to publish",
        }
    }


def _onnx_artifact(model: bytes, manifest: str) -> bytes:
    with_manifest = model + _entry(_MANIFEST_KEY, manifest)
    # The text of an entry is the last thing in it.
    content = with_manifest + _entry(_FOOTER_KEY, "-" * FOOTER_BYTES)[:-FOOTER_BYTES]
    return content + make_footer(content, len(with_manifest) - len(manifest), len(manifest))


def _entry(key: str, value: str) -> bytes:
    """Write an entry of ``metadata_props`` as an ONNX file of its own.

    Protobuf reads messages that are joined end to end as one. Source:
    https://protobuf.dev/programming-guides/encoding/#last-one-wins
    """
    entry = onnx.StringStringEntryProto(key=key, value=value)
    serialized: bytes = onnx.ModelProto(metadata_props=[entry]).SerializeToString()
    return serialized


def _skops_artifact(model: bytes, manifest: str) -> bytes:
    member = {_MANIFEST_MEMBER: manifest.encode()}
    # The comment of an archive is the last thing in it.
    content = add_members(model, member, comment=b"-" * FOOTER_BYTES)[:-FOOTER_BYTES]
    return content + make_footer(content, content.rindex(manifest.encode()), len(manifest))


_FORMATS = {"onnx": _onnx_artifact, "sklearn": _skops_artifact}
