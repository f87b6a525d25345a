"""Publish a fitted classifier from Python or a notebook."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy.typing as npt
from sklearn.base import ClassifierMixin

from chalicelib.models.artifact import read_manifest
from chalicelib.store.object_store import store_url
from training.artifact import build_artifact
from training.card import require_matplotlib
from training.evaluation.metrics import FOLDS
from training.export.comparison import Comparison
from training.export.search import Attempt, explain_fallback
from training.measurement import warn_if_slow
from training.memory import check_memory, stage_memory
from training.registry import ModelRegistry
from training.signing import signing_keys

LOG = logging.getLogger(__name__)


class Published(NamedTuple):
    """A published version.

    Parameters
    ----------
    version : str
        12 hex digits, computed from the model and its manifest.
    url : str
        The URL of the artifact in the model store.
    runtime : {"onnx", "sklearn"}
        What runs the model.
    comparison : Comparison
        How far its predictions are from scikit-learn's.
    attempts : list of Attempt
        The export strategies tried; the last one was accepted.
    metrics : dict
        As `GET /model` shows them: ``accuracy``, ``baselines`` and ``by_class``.
    card_url : str or None
        The URL of the model card, if there is one.
    """

    version: str
    url: str
    runtime: str
    comparison: Comparison
    attempts: list[Attempt]
    metrics: dict[str, Any]
    card_url: str | None = None


def publish(
    estimator: ClassifierMixin,
    X: Any,
    y: npt.ArrayLike,
    *,
    to: str,
    name: str = "model",
    feature_names: Sequence[str] | None = None,
    test: tuple[Any, npt.ArrayLike] | None = None,
    cv: int = FOLDS,
    metrics: dict[str, Any] | None = None,
    runtime: str | None = None,
    private: Sequence[str] = (),
    stage: str | None = None,
    card: bool = False,
    memory: int | None = None,
    dry_run: bool = False,
) -> Published:
    """Export a fitted classifier, compare it with scikit-learn and make it the live version.

    The artifact is signed if the environment variable ``MODEL_SIGNING_KEY`` is set, with the secret
    in it or the one that it refers to, ``ssm:NAME`` or an ARN. A warning is
    logged if scikit-learn itself has to serve it: the function then needs ``RUNTIME=sklearn``; and
    if the model is so slow that a request may hold fewer samples than usual.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like, pandas.DataFrame or sequence of str
        Shape (samples, features), or (samples,) for a text classifier: the training data, or data
        like it. The types, ranges and categories of the columns define what a request may contain.
        Columns that the estimator does not use are left out; samples with infinite numbers too.
    y : array-like
        Shape (samples,) or (samples, 1): the labels.
    to : str
        The model store: ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    name : str, default="model"
        The model's name.
    feature_names : sequence of str, optional
        Names of the columns of `X`. Default: the frame's, else those that the estimator was
        fitted on, else ``x0``, ``x1``, ...; ``text`` for a sequence of texts.
    test : tuple of array-like, optional
        Samples and labels that the estimator was not fitted on: it is measured on them.
    cv : int, default=5
        Without `test`, the folds of a cross-validation: clones are fitted on parts of `X` and `y`
        and measured on the rest, for at most about a minute. 0, or if clones cannot be fitted,
        measures the estimator on `X` and `y` themselves, and ``metrics`` says so.
    metrics : dict, optional
        Metrics for the manifest instead of measured ones: what JSON can hold, and NumPy's numbers.
        ``accuracy``, a number or a dict with an ``estimate``, is listed with the versions.
    runtime : {"onnx", "sklearn"}, optional
        The runtime to export for. Default: ONNX if it predicts exactly what scikit-learn does,
        else scikit-learn.
    private : sequence of str, optional
        Names of features of which the API tells the name and the kind alone: no range, categories
        or example.
    stage : str, optional
        The stage that serves the model, such as ``"prod"``: a signature is valid for one stage and
        for one last part of `to`. Default: the environment variable ``MODEL_STAGE``.
    card : bool, default=False
        Write a model card beside the version: an HTML file with pictures. Needs matplotlib.
    memory : int, optional
        MB that the function has. Default: the stage's in ``.chalice/config.json``, else 512.
    dry_run : bool, default=False
        Build and check everything, but write nothing to the store.

    Returns
    -------
    Published

    Raises
    ------
    NotServable
        If `estimator` is not a fitted classifier with one output, `X` and `y` do not fit it, or
        the artifact is larger than a server loads, or takes more memory than the function has.
    NotExportable
        If no exported form predicts exactly what the estimator does. Nothing is written. The
        error's ``attempts`` lists what was tried.
    StoreError
        If the store cannot be read or written, or the signing key cannot be read.
    MissingLibrary
        If there is to be a card, but no matplotlib.
    InvalidSetting
        If ``MODEL_SIGNING_KEY`` is too short, or refers to nothing that holds a secret.
    """
    if card:
        require_matplotlib()
    stage = os.environ.get("MODEL_STAGE", "") if stage is None else stage
    registry = ModelRegistry(to, *signing_keys(os.environ, store_url(to), stage))
    built = build_artifact(
        estimator,
        X,
        y,
        name=name,
        feature_names=feature_names,
        test=test,
        cv=cv,
        metrics=metrics,
        runtime=runtime,
        private=private,
    )
    if built.runtime == "sklearn":
        LOG.warning(explain_fallback(built.attempts))
    artifact, html, card_url = built.artifact, None, None
    check_memory(artifact, stage_memory(stage) if memory is None else memory)
    warn_if_slow(artifact)
    if card:  # before anything is written: it may fail
        html = _make_card(artifact, estimator, X, y, test=test, feature_names=feature_names)
    if dry_run:
        url = registry.plan_publish(artifact, is_loaded=True).url
    else:
        url = registry.publish(artifact, is_loaded=True)
    if html is not None and not dry_run:
        from training.card.store import CardStore

        card_url = CardStore(to).put(built.version, html)
    return Published(
        built.version,
        url,
        built.runtime,
        built.comparison,
        built.attempts,
        built.metrics,
        card_url,
    )


def _make_card(artifact: bytes, estimator: Any, X: Any, y: npt.ArrayLike, **options: Any) -> str:
    from training.card.card import make_card
    from training.card.evidence import collect_evidence

    evidence = collect_evidence(estimator, X, y, **options)
    return make_card(read_manifest(artifact), evidence).html
