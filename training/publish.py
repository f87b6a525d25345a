"""Publish a fitted classifier from Python or a notebook."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy.typing as npt
from sklearn.base import ClassifierMixin

from chalicelib.settings import signing_key
from training.artifact import build_artifact
from training.export import Agreement
from training.store import WritableStore


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
    agreement : Agreement
        How near it comes to scikit-learn.
    """

    version: str
    url: str
    runtime: str
    agreement: Agreement


def publish(
    estimator: ClassifierMixin,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    to: str,
    name: str = "model",
    feature_names: list[str] | None = None,
    metrics: dict[str, Any] | None = None,
    dry_run: bool = False,
) -> Published:
    """Export a fitted classifier, compare it with scikit-learn, and make it live.

    It is signed if the environment variable ``MODEL_SIGNING_KEY`` is set.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like of float
        Shape (samples, features): samples like those it was fitted on.
    y : array-like
        Shape (samples,): their classes.
    to : str
        The model store: ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    name : str, default="model"
        The model's name.
    feature_names : list of str, optional
        The names of the columns of `X`; without them, those that the estimator was fitted with,
        or ``x0``, ``x1`` and so on.
    metrics : dict, optional
        How good it is; without it, its accuracy on `X` and `y`.
    dry_run : bool, default=False
        Do all but write to the store.

    Returns
    -------
    Published

    Raises
    ------
    NotServable
        If this is not a fitted classifier, or the samples do not fit it.
    ExportRefused
        If what was exported does not answer as scikit-learn does; nothing is written then.
    StoreError
        If the store cannot be written.
    """
    built = build_artifact(estimator, X, y, name=name, feature_names=feature_names, metrics=metrics)
    store = WritableStore(to, signing_key(os.environ))
    if dry_run:
        url = store.what_publish_would_do(built.artifact).url
    else:
        url = store.publish(built.artifact)
    return Published(built.version, url, built.runtime, built.agreement)
