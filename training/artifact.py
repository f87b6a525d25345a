"""Builds the one file that `chalicelib.artifact` reads: a model, its manifest and its seal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from sklearn.base import ClassifierMixin, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from chalicelib.artifact import SEAL_BYTES, read_seal, seal
from chalicelib.model import load_model
from training.describe import describe, version_of
from training.errors import NotServable
from training.export import Agreement, export_onnx, find_optional_features

_MANIFEST_KEY = "wine-classifier.manifest"
_SEAL_KEY = "wine-classifier.seal"


class Built(NamedTuple):
    """A model that can be published.

    Parameters
    ----------
    artifact : bytes
        The whole file.
    version : str
        Its version.
    runtime : str
        What runs it.
    agreement : Agreement
        How near it comes to scikit-learn.
    """

    artifact: bytes
    version: str
    runtime: str
    agreement: Agreement


def build_artifact(
    estimator: ClassifierMixin,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    name: str,
    feature_names: list[str] | None = None,
    metrics: dict[str, Any] | None = None,
) -> Built:
    """Make the file that is published of a fitted classifier.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like of float
        Shape (samples, features): samples like those it was fitted on.
    y : array-like
        Shape (samples,): their classes.
    name : str
        The model's name.
    feature_names : list of str, optional
        The names of the columns of `X`; without them, those that the estimator was fitted with,
        or ``x0``, ``x1`` and so on.
    metrics : dict, optional
        How good it is; without it, its accuracy on `X` and `y`.

    Returns
    -------
    Built

    Raises
    ------
    NotServable
        If this is not a fitted classifier, or the samples do not fit it.
    ExportRefused
        If what was exported does not answer as scikit-learn does.
    """
    matrix = _check(estimator, X, y)
    optional = find_optional_features(estimator, matrix)
    exported = export_onnx(estimator, matrix, optional)
    manifest = describe(
        estimator,
        matrix,
        feature_names=feature_names or _feature_names(estimator, matrix.shape[1]),
        optional=optional,
        metrics=metrics or _accuracy_on(estimator, matrix, y),
        agreement=exported.agreement._asdict(),
        name=name,
    )
    version = version_of(exported.model, manifest)
    created_at = datetime.now(UTC).isoformat(timespec="microseconds")
    artifact = _assemble(exported.model, manifest | {"version": version, "created_at": created_at})
    load_model(artifact)
    return Built(artifact, version, manifest["runtime"], exported.agreement)


def signed(artifact: bytes, key: str) -> bytes:
    """Sign an artifact.

    Parameters
    ----------
    artifact : bytes
        From `build_artifact`; a signature that it has already is replaced.
    key : str
        What to sign with.

    Returns
    -------
    bytes
        The same, but for its seal.
    """
    found = read_seal(artifact)
    content = artifact[:-SEAL_BYTES]
    return content + seal(content, found.manifest_start, found.manifest_length, key)


def _check(
    estimator: ClassifierMixin, X: npt.ArrayLike, y: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    if not is_classifier(estimator):
        raise NotServable(f"{type(estimator).__name__} is not a classifier.")
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise NotServable(f"{type(estimator).__name__} has not been fitted yet.") from None
    matrix = np.asarray(X, dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) != len(np.asarray(y)) or not len(matrix):
        raise NotServable(
            f"X must be samples by features, and y as long: got {matrix.shape} and {np.shape(y)}."
        )
    return matrix


def _feature_names(estimator: Any, n_features: int) -> list[str]:
    fitted_with = getattr(estimator, "feature_names_in_", None)
    if fitted_with is not None:
        return [str(name) for name in fitted_with]
    return [f"x{column}" for column in range(n_features)]


def _accuracy_on(
    estimator: Any, matrix: npt.NDArray[np.float64], y: npt.ArrayLike
) -> dict[str, Any]:
    return {
        "accuracy": {
            "estimate": float(accuracy_score(np.asarray(y), estimator.predict(matrix))),
            "method": "on the samples given to publish",
        }
    }


def _assemble(model: bytes, manifest: dict[str, Any]) -> bytes:
    written = json.dumps(manifest)
    with_manifest = model + _entry(_MANIFEST_KEY, written)
    # The text of an entry is the last thing in it.
    content = with_manifest + _entry(_SEAL_KEY, "-" * SEAL_BYTES)[:-SEAL_BYTES]
    return content + seal(content, len(with_manifest) - len(written), len(written))


def _entry(key: str, value: str) -> bytes:
    """Write an entry of ``metadata_props`` as an ONNX file of its own.

    Protobuf reads files that are joined end to end as one: https://protobuf.dev/programming-guides/encoding/#last-one-wins
    """
    entry = onnx.StringStringEntryProto(key=key, value=value)
    serialized: bytes = onnx.ModelProto(metadata_props=[entry]).SerializeToString()
    return serialized
