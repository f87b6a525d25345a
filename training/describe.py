"""What a model says of itself: the manifest that `chalicelib.manifest` reads."""

from __future__ import annotations

import hashlib
import json
import platform
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import skl2onnx
import sklearn
from sklearn.base import ClassifierMixin

from chalicelib.manifest import FORMAT

VERSION_DIGITS = 12


def describe(
    estimator: ClassifierMixin,
    X: npt.NDArray[np.float64],
    *,
    feature_names: list[str],
    optional: list[bool],
    metrics: dict[str, Any],
    agreement: dict[str, Any],
    name: str,
) -> dict[str, Any]:
    """Describe a fitted classifier, all but its version and when it was made.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : numpy.ndarray of float64
        Shape (samples, features): what its ranges, medians and examples are read from.
    feature_names : list of str
        The names of the columns of `X`.
    optional : list of bool
        For each feature, whether its value may be missing.
    metrics : dict
        How good it is.
    agreement : dict
        How near the exported model comes to scikit-learn.
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
        "runtime": "onnx",
        "signature": {
            "features": [
                _feature(feature_name, column, can_miss)
                for feature_name, column, can_miss in zip(feature_names, X.T, optional, strict=True)
            ],
            "classes": [str(label) for label in estimator.classes_.tolist()],
        },
        "metrics": metrics,
        "agreement": agreement,
        "estimator": " ".join(str(estimator).split()),
        "libraries": {
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "skl2onnx": skl2onnx.__version__,
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            "numpy": np.__version__,
        },
        "golden_samples": _golden_samples(estimator, X, optional),
    }


def _feature(name: str, column: npt.NDArray[np.float64], can_miss: bool) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "numeric",
        "required": not can_miss,
        "min": float(np.nanmin(column)),
        "max": float(np.nanmax(column)),
        "median": float(np.nanmedian(column)),
        "example": float(column[np.isfinite(column)][0]),
    }


def _golden_samples(
    estimator: ClassifierMixin, X: npt.NDArray[np.float64], optional: list[bool]
) -> dict[str, Any]:
    """Take a sample that is given each label and, if it may have gaps, one with all of them."""
    predicted = estimator.predict(X)
    first_of_each = np.sort(np.unique(predicted, return_index=True)[1])
    samples = X[first_of_each]
    if any(optional):
        samples = np.vstack([samples, np.where(optional, np.nan, X[0])])
    return {
        "samples": [
            [None if np.isnan(value) else value for value in row] for row in samples.tolist()
        ],
        "labels": [str(label) for label in estimator.predict(samples).tolist()],
        "probabilities": estimator.predict_proba(samples).tolist(),
    }


def version_of(model: bytes, manifest: dict[str, Any]) -> str:
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
