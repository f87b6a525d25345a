"""Build an artifact: check, export, compare, describe, measure and load a model."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy.typing as npt
from sklearn.base import ClassifierMixin

from chalicelib.errors import InvalidArtifact, InvalidSetting
from chalicelib.models.model import verify
from chalicelib.settings import maximum_bytes
from training.checks import (
    check_estimator,
    check_labels,
    check_name,
    check_private,
    explain_rejection,
    predict_labels,
    read_data,
)
from training.data.signature import infer_signature
from training.errors import NotExportable, NotServable, TrainingError, first_line
from training.evaluation.metrics import evaluate
from training.export.comparison import Comparison
from training.export.other_release import check_attribute, check_release
from training.export.search import Attempt, export
from training.formats import WRITERS
from training.golden_samples import free_texts, timed_samples
from training.manifest import build_manifest, check_metrics, compute_version
from training.measurement import measure


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
    metrics : dict
        As in the manifest.
    """

    artifact: bytes
    version: str
    runtime: str
    comparison: Comparison
    attempts: list[Attempt]
    metrics: dict[str, Any]


def build_artifact(
    estimator: ClassifierMixin,
    X: Any,
    y: npt.ArrayLike,
    *,
    name: str,
    feature_names: Sequence[str] | None = None,
    test: tuple[Any, npt.ArrayLike] | None = None,
    cv: int = 0,
    metrics: dict[str, Any] | None = None,
    runtime: str | None = None,
    private: Sequence[str] = (),
) -> BuiltModel:
    """Export a fitted classifier, compare it with scikit-learn and write it as an artifact.

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
    name : str
        The model's name.
    feature_names : sequence of str, optional
        Names of the columns of `X`. Default: the frame's, else those that the estimator was
        fitted on, else ``x0``, ``x1``, ...; ``text`` for a sequence of texts.
    test : tuple of array-like, optional
        Samples and labels that the estimator was not fitted on, to measure it.
    cv : int, default=0
        The folds of a cross-validation of clones, if there is no test data; 0 for none.
    metrics : dict, optional
        Metrics for the manifest instead of measured ones: what JSON can hold, and NumPy's numbers.
        ``accuracy``, a number or a dict with an ``estimate``, is listed with the versions.
        Default: those of `training.evaluation.evaluate`.
    runtime : {"onnx", "sklearn"}, optional
        The runtime to export for. Default: ONNX if it predicts exactly what scikit-learn does,
        else scikit-learn.
    private : sequence of str, optional
        Names of features of which the API tells the name and the kind alone: no range, categories
        or example.

    Returns
    -------
    BuiltModel

    Raises
    ------
    NotServable
        If `estimator` is not a fitted classifier with one output, `X` and `y` do not fit it, or
        the artifact is larger than a server loads.
    NotExportable
        If no exported form predicts exactly what the estimator does; its ``attempts`` lists what
        was tried.
    """
    try:
        return _build(
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
    except (TrainingError, InvalidSetting):
        raise
    except InvalidArtifact as error:
        raise NotExportable(f"A server cannot load the model: {error}") from error
    except Exception as error:  # an estimator, or a library, may raise anything
        check_attribute(error)
        failed, kind = type(estimator).__name__, type(error).__name__
        raise NotServable(f"{failed} cannot be published: {kind}: {first_line(error)}") from error


def _build(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    name: str,
    feature_names: Sequence[str] | None,
    test: tuple[Any, npt.ArrayLike] | None,
    cv: int,
    metrics: dict[str, Any] | None,
    runtime: str | None,
    private: Sequence[str],
) -> BuiltModel:
    check_name(name)
    check_estimator(estimator)
    check_release(estimator)
    metrics = check_metrics(metrics)
    table, labels = read_data(estimator, X, y, feature_names)
    check_private(private, [*table.names, *getattr(X, "columns", ())])
    predicted = predict_labels(estimator, table)
    texts = [str(label) for label in predicted]
    check_labels(estimator, labels)
    signature = infer_signature(estimator, table)
    try:
        exported = export(
            estimator, table, signature, labels=labels, predicted=texts, runtime=runtime
        )
    except TrainingError:
        raise
    except Exception as error:  # the estimator rejects some of the samples that models share
        raise NotServable(explain_rejection(estimator, error)) from error
    is_measured = metrics is None
    if metrics is None:
        metrics = evaluate(
            estimator,
            table,
            labels,
            predicted=predicted,
            test=test,
            folds=cv,
            feature_names=feature_names,
        )
    manifest = build_manifest(
        estimator,
        table,
        signature,
        exported,
        metrics=metrics,
        name=name,
        predicted=texts,
        is_measured=is_measured,
        private=private,
    )
    version = compute_version(exported.model, manifest)
    created_at = datetime.now(UTC).isoformat(timespec="microseconds")
    manifest |= {"version": version, "created_at": created_at}
    write = functools.partial(WRITERS[exported.runtime], exported.model)
    artifact = write(json.dumps(manifest))
    _check_size(artifact)
    samples = timed_samples(table, signature, free_texts(table, signature, exported))
    measured = measure(artifact, samples)  # loads it, as a server must be able to
    artifact = write(json.dumps(manifest | measured))
    verify(artifact)
    return BuiltModel(
        artifact, version, exported.runtime, exported.comparison, exported.attempts, metrics
    )


def _check_size(artifact: bytes) -> None:
    """Raise `NotServable` if a server with the settings of this environment rejects the size."""
    maximum = maximum_bytes(os.environ)
    if len(artifact) > maximum:
        raise NotServable(
            f"The artifact has {len(artifact):,} bytes; a server loads at most {maximum:,}: fit a "
            "smaller model (fewer or shallower trees, fewer terms), or set MODEL_MAX_BYTES, here "
            "and on the server."
        )
