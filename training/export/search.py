"""Find the fastest runtime that predicts exactly as the fitted estimator does."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sklearn

from chalicelib.errors import InvalidArtifact
from chalicelib.inputs.signature import LARGEST_NUMBER, Signature
from chalicelib.models.memory import release_free_memory
from chalicelib.runtimes.base import Classifier
from chalicelib.runtimes.onnx_classifier import OnnxClassifier
from chalicelib.runtimes.sklearn_classifier import SklearnClassifier
from training.data.table import Table
from training.errors import NoExactStrategy, NotExportable, first_line, one_line
from training.export.comparison import (
    Comparison,
    Reference,
    compare,
    compute_reference,
    find_largest_number,
)
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
    row_values: int  # as of `RuntimeModel`
    comparison: Comparison
    attempts: list[Attempt]  # the last is used
    largest_number: float  # that the model accepts
    has_nan_probabilities: bool  # scikit-learn's are NaN for some samples


class _Candidate(NamedTuple):
    strategy: str
    runtime: str
    write: Callable[[], RuntimeModel]
    load: Callable[[RuntimeModel], Classifier]


class _Result(NamedTuple):
    attempt: Attempt
    model: RuntimeModel | None = None  # None if it is rejected
    largest_number: float = LARGEST_NUMBER


def export(
    estimator: Any,
    table: Table,
    signature: Signature,
    *,
    labels: npt.NDArray[Any] | None = None,
    predicted: Sequence[str] | None = None,
    runtime: str | None = None,
) -> Exported:
    """Export a fitted classifier with the first strategy whose predictions are exact.

    The order is ONNX in float64, ONNX in float32, scikit-learn. `runtime`, one of `RUNTIMES`,
    limits the search to one runtime. `labels` and `predicted` are the table's, as for
    `compute_reference`.

    Raises
    ------
    NotExportable
        If no strategy is exact.
    """
    reference = compute_reference(estimator, table, signature, labels, predicted)
    attempts = []
    for candidate in _candidates(estimator, table, signature):
        if runtime not in (None, candidate.runtime):
            continue
        LOG.info("trying %s", candidate.strategy)
        result = _try(candidate, reference, estimator, table, signature)
        attempts.append(result.attempt)
        if result.model is not None:
            assert result.attempt.comparison is not None  # it was compared
            return Exported(
                candidate.runtime,
                result.model.data,
                result.model.text_encoders,
                result.model.row_values,
                result.attempt.comparison,
                attempts,
                result.largest_number,
                _has_nan(reference.probabilities),
            )
    raise NoExactStrategy(type(estimator).__name__, attempts)


def explain_fallback(attempts: Sequence[Attempt]) -> str:
    """Return what a model that scikit-learn serves needs, and why ONNX does not serve it."""
    advice = "Served by scikit-learn: package the function with RUNTIME=sklearn"
    if len(attempts) == 1:  # the only runtime that was asked for
        return f"{advice}."
    # ONNX in float64 fails for the best reason.
    return f"{advice}. ONNX is not exact: {one_line(attempts[0].rejection or '', 150)}."


def _candidates(estimator: Any, table: Table, signature: Signature) -> Iterator[_Candidate]:
    def load_onnx(model: RuntimeModel) -> Classifier:
        return OnnxClassifier(
            model.data, signature, model.text_encoders, row_values=model.row_values
        )

    for strategy in onnx_strategies(signature):
        write = functools.partial(
            write_onnx,
            estimator,
            signature,
            strategy,
            table.missing_texts,
            float32_features=table.float32_features,
        )
        yield _Candidate(strategy.value, "onnx", write, load_onnx)

    def load_sklearn(model: RuntimeModel) -> Classifier:
        return SklearnClassifier(model.data, signature, sklearn.__version__)

    def write_by_position() -> RuntimeModel:
        return RuntimeModel(write_skops(select_by_position(estimator)), [])

    yield _Candidate("sklearn", "sklearn", write_by_position, load_sklearn)


def _try(
    candidate: _Candidate, reference: Reference, estimator: Any, table: Table, signature: Signature
) -> _Result:
    strategy = candidate.strategy
    try:
        model = candidate.write()
        release_free_memory()  # before ONNX Runtime takes as much
        classifier = candidate.load(model)
        comparison = compare(classifier, reference)
    except (NotExportable, InvalidArtifact) as error:
        return _Result(Attempt(strategy, str(error), None))
    except Exception as error:  # a runtime may raise anything
        reason = f"the prediction fails: {first_line(error)}"
        return _Result(Attempt(strategy, reason, None))
    if not comparison.is_exact():
        reason = (
            f"{comparison.label_mismatches:,} of {comparison.rows:,} labels differ, "
            f"probabilities by up to {comparison.max_difference:.1e}"
        )
        return _Result(Attempt(strategy, reason, comparison))
    largest: float | None = LARGEST_NUMBER
    if candidate.runtime == "onnx":  # scikit-learn itself rejects what it cannot compute
        largest = find_largest_number(classifier, estimator, table, signature)
    if largest is None:
        reason = "the labels of samples with large numbers differ"
        return _Result(Attempt(strategy, reason, comparison))
    return _Result(Attempt(strategy, None, comparison), model, largest)


def _has_nan(probabilities: npt.NDArray[np.float64] | None) -> bool:
    return probabilities is not None and bool(np.isnan(probabilities).any())
