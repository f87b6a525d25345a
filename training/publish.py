"""Publish a fitted classifier from Python or a notebook."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy.typing as npt
from sklearn.base import ClassifierMixin

from chalicelib.settings import signing_key
from training.artifact import build_artifact
from training.export.comparison import Comparison
from training.export.search import Attempt
from training.registry import ModelRegistry


class Published(NamedTuple):
    """A version that is live.

    Parameters
    ----------
    version : str
        Its name.
    url : str
        Where it is.
    runtime : str
        What runs it.
    comparison : Comparison
        How near it comes to scikit-learn.
    attempts : list of Attempt
        What was tried; the last is what was taken.
    """

    version: str
    url: str
    runtime: str
    comparison: Comparison
    attempts: list[Attempt]


def publish(
    estimator: ClassifierMixin,
    X: Any,
    y: npt.ArrayLike,
    *,
    to: str,
    name: str = "model",
    feature_names: list[str] | None = None,
    metrics: dict[str, Any] | None = None,
    runtime: str | None = None,
    dry_run: bool = False,
) -> Published:
    """Export a fitted classifier, compare it with scikit-learn, and make it live.

    It is signed if the environment variable ``MODEL_SIGNING_KEY`` is set.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like or pandas.DataFrame
        Shape (samples, features): samples like those it was fitted on; what they are is what a
        request may hold.
    y : array-like
        Shape (samples,): their classes.
    to : str
        The model store: ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    name : str, default="model"
        The model's name.
    feature_names : list of str, optional
        The names of the columns of `X`; without them, those of the frame, or ``x0``, ``x1`` and
        so on.
    metrics : dict, optional
        How good it is; without it, its accuracy on `X` and `y`.
    runtime : str, optional
        What must run it, ``"onnx"`` or ``"sklearn"``; without it, ONNX if it is exact, and else
        scikit-learn itself.
    dry_run : bool, default=False
        Do all but write to the store.

    Returns
    -------
    Published

    Raises
    ------
    NotServable
        If this is not a fitted classifier, or the samples do not fit it.
    NotExportable
        If nothing that it can be exported to answers as scikit-learn does; nothing is written.
    StoreError
        If the store cannot be written.
    """
    built = build_artifact(
        estimator, X, y, name=name, feature_names=feature_names, metrics=metrics, runtime=runtime
    )
    store = ModelRegistry(to, signing_key(os.environ))
    url = store.plan_publish(built.artifact).url if dry_run else store.publish(built.artifact)
    return Published(built.version, url, built.runtime, built.comparison, built.attempts)
