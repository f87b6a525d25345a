"""Find the fastest runtime that predicts exactly as the fitted estimator does."""

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
from training.errors import NoExactStrategy, NotExportable, first_line
from training.export.comparison import Comparison, Reference, compare, compute_reference
from training.export.onnx_export import onnx_strategies, write_onnx
from training.export.positional import select_by_position
from training.export.runtime_model import RuntimeModel
from training.export.skops_export import write_skops

LOG = logging.getLogger(__name__)

RUNTIMES = ("onnx", "sklearn")


class Attempt(NamedTuple):
    """One strategy that was tried."""

    strategy: str  # such as "onnx float64, one matrix"
    rejection: str | None  # the reason; None for the strategy that is used
    comparison: Comparison | None  # None if the export failed before it


class Exported(NamedTuple):
    """An estimator in the format of a runtime."""

    runtime: str  # one of RUNTIMES
    model: bytes
    text_encoders: list[dict[str, Any]]  # as in the manifest
    comparison: Comparison
    attempts: list[Attempt]  # the last is used
    has_nan_probabilities: bool  # scikit-learn's are NaN for some samples


class _Candidate(NamedTuple):
    strategy: str
    runtime: str
    write: Callable[[], RuntimeModel]
    load: Callable[[RuntimeModel], Classifier]


def export(
    estimator: Any, table: Table, signature: Signature, *, runtime: str | None = None
) -> Exported:
    """Export a fitted classifier with the first strategy whose predictions are exact.

    The order is ONNX in float64, ONNX in float32, scikit-learn. `runtime`, one of `RUNTIMES`,
    limits the search to one runtime.

    Raises
    ------
    NotExportable
        If no strategy is exact.
    """
    reference = compute_reference(estimator, table, signature)
    attempts = []
    for candidate in _candidates(estimator, table, signature):
        if runtime in (None, candidate.runtime):
            LOG.info("trying %s", candidate.strategy)
            model, attempt = _try(candidate, reference)
            attempts.append(attempt)
            if attempt.comparison is not None and attempt.rejection is None:
                has_nan = reference.probabilities is not None and bool(
                    np.isnan(reference.probabilities).any()
                )
                return Exported(
                    candidate.runtime,
                    model.data,
                    model.text_encoders,
                    attempt.comparison,
                    attempts,
                    has_nan,
                )
    raise NoExactStrategy(type(estimator).__name__, attempts)


def _candidates(estimator: Any, table: Table, signature: Signature) -> Iterator[_Candidate]:
    def load_onnx(model: RuntimeModel) -> Classifier:
        return OnnxClassifier(model.data, signature, model.text_encoders)

    for strategy in onnx_strategies(signature):
        write = functools.partial(write_onnx, estimator, signature, strategy, table.missing_texts)
        yield _Candidate(strategy.value, "onnx", write, load_onnx)

    def load_sklearn(model: RuntimeModel) -> Classifier:
        return SklearnClassifier(model.data, signature, sklearn.__version__)

    def write_by_position() -> RuntimeModel:
        return RuntimeModel(write_skops(select_by_position(estimator)), [])

    yield _Candidate("sklearn", "sklearn", write_by_position, load_sklearn)


def _try(candidate: _Candidate, reference: Reference) -> tuple[RuntimeModel, Attempt]:
    strategy, nothing = candidate.strategy, RuntimeModel(b"", [])
    try:
        model = candidate.write()
        comparison = compare(candidate.load(model), reference)
    except (NotExportable, InvalidArtifact) as error:
        return nothing, Attempt(strategy, str(error), None)
    except Exception as error:  # a runtime may raise anything
        return nothing, Attempt(strategy, f"the prediction fails: {first_line(error)}", None)
    if comparison.is_exact():
        return model, Attempt(strategy, None, comparison)
    reason = (
        f"{comparison.label_mismatches:,} of {comparison.rows:,} labels differ, "
        f"probabilities by up to {comparison.max_difference:.1e}"
    )
    return nothing, Attempt(strategy, reason, comparison)
