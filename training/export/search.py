"""Finds the fastest way to serve a fitted estimator that answers exactly as scikit-learn does."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import sklearn

from chalicelib.errors import InvalidArtifact
from chalicelib.inputs.signature import Signature
from chalicelib.runtimes.base import Classifier
from chalicelib.runtimes.onnx_classifier import OnnxClassifier
from chalicelib.runtimes.sklearn_classifier import SklearnClassifier
from training.data.table import Table
from training.errors import NotExportable
from training.export.comparison import Answers, Comparison, compare, expected_answers
from training.export.onnx_export import ways_for, write_onnx
from training.export.positional import taking_columns_by_position
from training.export.skops_export import write_skops

LOG = logging.getLogger(__name__)

RUNTIMES = ("onnx", "sklearn")


class Attempt(NamedTuple):
    """A way that was tried.

    Parameters
    ----------
    strategy : str
        Such as ``"onnx float64, one matrix"``.
    rejection : str or None
        Why it is not taken; None if it is.
    comparison : Comparison or None
        How near it came to scikit-learn, if it came so far.
    """

    strategy: str
    rejection: str | None
    comparison: Comparison | None


class Exported(NamedTuple):
    """An estimator that can be served.

    Parameters
    ----------
    runtime : str
        What runs it: one of `RUNTIMES`.
    model : bytes
        The model in the runtime's format.
    comparison : Comparison
        How near it comes to scikit-learn.
    attempts : list of Attempt
        What was tried; the last is what was taken.
    has_nan_probabilities : bool
        Whether scikit-learn itself gives NaN for the probabilities of some samples.
    """

    runtime: str
    model: bytes
    comparison: Comparison
    attempts: list[Attempt]
    has_nan_probabilities: bool


class _Way(NamedTuple):
    name: str
    runtime: str
    write: Callable[[], bytes]
    load: Callable[[bytes], Classifier]


def export(
    estimator: Any, table: Table, signature: Signature, *, runtime: str | None = None
) -> Exported:
    """Write a fitted classifier for the fastest runtime that answers exactly as it does.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    table : Table
        Samples like those that it was fitted on.
    signature : Signature
        What it takes.
    runtime : str, optional
        One of `RUNTIMES` that must be taken; without it, ONNX in float64 is tried before ONNX in
        float32, and that before scikit-learn itself.

    Returns
    -------
    Exported

    Raises
    ------
    NotExportable
        If no way is exact.
    """
    answers = expected_answers(estimator, table, signature)
    attempts = []
    for way in _ways(estimator, signature):
        if runtime in (None, way.runtime):
            LOG.info("trying %s", way.name)
            model, attempt = _try(way, answers)
            attempts.append(attempt)
            if attempt.comparison is not None and attempt.rejection is None:
                undefined = answers.probabilities is not None and bool(
                    np.isnan(answers.probabilities).any()
                )
                return Exported(way.runtime, model, attempt.comparison, attempts, undefined)
    reasons = "; ".join(f"{attempt.strategy}: {attempt.rejection}" for attempt in attempts)
    raise NotExportable(f"{type(estimator).__name__} cannot be served exactly: {reasons}")


def _ways(estimator: Any, signature: Signature) -> Iterator[_Way]:
    for way in ways_for(signature):
        write = functools.partial(write_onnx, estimator, signature, way)
        yield _Way(str(way), "onnx", write, OnnxClassifier)

    def load(model: bytes) -> Classifier:
        return SklearnClassifier(model, signature, sklearn.__version__)

    def write_by_position() -> bytes:
        return write_skops(taking_columns_by_position(estimator))

    yield _Way("sklearn", "sklearn", write_by_position, load)


def _try(way: _Way, answers: Answers) -> tuple[bytes, Attempt]:
    try:
        model = way.write()
        comparison = compare(way.load(model), answers)
    except (NotExportable, InvalidArtifact) as error:
        return b"", Attempt(way.name, str(error), None)
    except Exception as error:  # a runtime may fail on what it was given in any way
        return b"", Attempt(way.name, f"it fails when it is asked: {_first_line(error)}", None)
    if comparison.is_exact():
        return model, Attempt(way.name, None, comparison)
    reason = (
        f"{comparison.label_mismatches:,} of {comparison.rows:,} labels differ, "
        f"probabilities by up to {comparison.max_difference:.1e}"
    )
    return b"", Attempt(way.name, reason, comparison)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
