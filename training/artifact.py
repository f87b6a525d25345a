"""Build an artifact: the model, its manifest and a footer in one file.

`chalicelib.models.artifact` describes the format and reads it.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from chalicelib.errors import InvalidArtifact, InvalidSetting
from chalicelib.models.artifact import FOOTER_BYTES, make_footer
from chalicelib.models.model import load_model, verify
from chalicelib.settings import maximum_bytes
from training.data.fitted_columns import make_table
from training.data.signature import infer_signature
from training.data.table import Table
from training.errors import NotExportable, NotServable, TrainingError, first_line, one_line
from training.evaluation.metrics import evaluate
from training.export.comparison import Comparison
from training.export.other_release import check_attribute, check_release
from training.export.search import Attempt, export
from training.export.skops_export import add_members
from training.manifest import build_manifest, check_metrics, compute_version
from training.memory import measure_memory
from training.progress import progress

_MANIFEST_KEY = "wine-classifier.manifest"
_FOOTER_KEY = "wine-classifier.footer"
_MANIFEST_MEMBER = "wine-classifier.manifest.json"
_MAX_SHOWN_CHARACTERS = 50
_MANY_OUTPUTS = "has more than one output; a served classifier has exactly one."

PREDICTED_ROWS = 100_000  # at once

LOG = logging.getLogger(__name__)


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
        raise NotServable(
            f"{_name(estimator)} cannot be published: {type(error).__name__}: {first_line(error)}"
        ) from error


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
    _check_name(name)
    _check_estimator(estimator)
    check_release(estimator)
    metrics = check_metrics(metrics)
    table, labels = _read_data(estimator, X, y, feature_names)
    _check_private(private, [*table.names, *getattr(X, "columns", ())])
    predicted = _predict(estimator, table)
    texts = [str(label) for label in predicted]
    _check_labels(estimator, labels)
    signature = infer_signature(estimator, table)
    try:
        exported = export(
            estimator, table, signature, labels=labels, predicted=texts, runtime=runtime
        )
    except TrainingError:
        raise
    except Exception as error:  # the estimator rejects some of the samples that models share
        raise NotServable(_explain(estimator, error)) from error
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
    write = functools.partial(_FORMATS[exported.runtime], exported.model)
    artifact = write(json.dumps(manifest))
    _check_size(artifact)
    memory = measure_memory(artifact)
    if memory:  # a process like a server's has loaded it
        artifact = write(json.dumps(manifest | {"memory": memory}))
        verify(artifact)
    else:
        load_model(artifact)  # a server must be able to load it
    return BuiltModel(
        artifact, version, exported.runtime, exported.comparison, exported.attempts, metrics
    )


def _check_name(name: str) -> None:
    """Raise `NotServable` if a name cannot be printed: it is shown on terminals and in paths."""
    if not name or not name.isprintable():
        raise NotServable(
            f"The model's name, {name[:_MAX_SHOWN_CHARACTERS]!r}, is empty or has control "
            "characters: choose letters, digits and hyphens."
        )


def _check_private(private: Sequence[str], names: list[str]) -> None:
    """Raise `NotServable` if a private feature is no column of the data: a typo would tell all."""
    if isinstance(private, str):
        raise NotServable("private must be a list of feature names, not text.")
    unknown = [name for name in private if name not in names]
    if unknown:
        raise NotServable(
            f"private names {unknown[0]!r}, which is not a feature of the model; its features are "
            f"{', '.join(names)}"
        )


def _check_estimator(estimator: Any) -> None:
    """Raise `NotServable` if an object is not a fitted classifier with one output."""
    if isinstance(estimator, type):
        raise NotServable(f"{estimator.__name__} is a class: pass an instance of it, fitted.")
    name = type(estimator).__name__
    if not isinstance(estimator, BaseEstimator) and not hasattr(estimator, "predict"):
        raise NotServable(f"{name} is not a classifier.")
    if not is_classifier(estimator):
        raise NotServable(f"{name} is not a classifier.")
    if getattr(estimator, "refit", True) is False and not hasattr(estimator, "best_estimator_"):
        raise NotServable(f"{name} with refit=False keeps no classifier: fit it with refit=True.")
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise NotServable(f"{name} has not been fitted yet.") from None
    if isinstance(getattr(estimator, "classes_", None), list):
        raise NotServable(f"{name} {_MANY_OUTPUTS}")


def _read_data(
    estimator: Any, X: Any, y: Any, feature_names: Sequence[str] | None
) -> tuple[Table, npt.NDArray[Any]]:
    """Return the samples and labels that a request can hold, or raise `NotServable`."""
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels.ravel()
    if labels.ndim == 0:
        raise NotServable(f"y must be a label for each sample, not {type(y).__name__}.")
    if labels.ndim != 1:
        raise NotServable(f"y has shape {labels.shape}: {_name(estimator)} {_MANY_OUTPUTS}")
    if pd.isna(labels).any():
        raise NotServable("There are missing values among the labels: leave out those samples.")
    table = make_table(estimator, X, feature_names)
    if len(table) != len(labels):
        raise NotServable(f"X has {len(table)} samples, but y has {len(labels)} labels.")
    rows = table.servable_rows()
    if not rows.any():
        raise NotServable("Every sample of X has an infinite number, which no request can hold.")
    if not rows.all():
        LOG.info("left out: %d samples with infinite numbers or broken text", (~rows).sum())
        table.keep_rows(rows)
    return table, labels[rows]


def _predict(estimator: Any, table: Table) -> list[Any]:
    """Return the labels of the table's samples."""
    parts = progress(table.samples.slices(PREDICTED_ROWS), "predicting")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            predicted = np.concatenate(
                [np.asarray(estimator.predict(table.to_estimator_input(part))) for part in parts]
            )
    except Exception as error:  # an estimator may raise anything
        raise NotServable(_explain(estimator, error)) from error
    if predicted.shape != (len(table),):
        raise NotServable(
            f"{_name(estimator)} predicts labels of shape {predicted.shape} for {len(table)} "
            "samples; a served classifier has exactly one label per sample."
        )
    labels: list[Any] = predicted.tolist()
    return labels


def _explain(estimator: Any, error: Exception) -> str:
    """Return why an estimator cannot predict samples, and what to change.

    Raises `FittedElsewhere` if another release of scikit-learn fitted it.
    """
    check_attribute(error)
    name, reason = _name(estimator), first_line(error)
    if isinstance(error, NotFittedError):
        return f"A part of {name} has not been fitted yet: fit the whole. {reason}"
    if "No neighbors found" in reason:
        return (
            f"{name} rejects samples without neighbors: set outlier_label, or a larger radius, and "
            "fit again."
        )
    return (
        f"{name} raises for samples that are within the ranges of X: "
        f"{type(error).__name__}: {reason}"
    )


def _check_labels(estimator: Any, labels: npt.NDArray[Any]) -> None:
    """Raise `NotServable` if no label is one of the classes: they are of something else."""
    classes = np.asarray(estimator.classes_).tolist()
    known = {*classes, *map(str, classes)}
    if not any(label in known or str(label) in known for label in set(labels.tolist())):
        raise NotServable(
            f"No label of y is a class of {_name(estimator)}, whose classes are "
            f"{one_line(str(classes), 100)}: pass the labels that it was fitted on."
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


def _name(estimator: Any) -> str:
    return type(estimator).__name__


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
