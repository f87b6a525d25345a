"""Publish one configuration, ask the model rows made to differ, and compare."""

from __future__ import annotations

import re
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from chalicelib.errors import InvalidRequest
from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.samples import read_samples
from chalicelib.models.model import PROBABILITY_TOLERANCE, Model, load_model
from chalicelib.models.predict import predict, probability_rows
from tests.fidelity.configurations import Configuration
from tests.fidelity.data import Data, load
from tests.fidelity.rows import TRAINING_ROWS, changed_rows, take, to_json
from training.artifact import build_artifact
from training.errors import TrainingError

_CPU_SECONDS = 120  # of one configuration
_REASON_LENGTH = 300  # of a rejection
_HIDDEN_ERROR = re.compile(r"\b(Attribute|Assertion|Index|Key|Name|Type|UnboundLocal)Error\b")

SERVED = ("onnx", "sklearn")
FAULTS = ("wrong", "error")


class Outcome(NamedTuple):
    """What became of a configuration.

    `result` is "onnx" or "sklearn" (published, and exact), "rejected" (with one reason), "wrong"
    (published, but not exact), "error" (an exception that is not a `TrainingError`) or "not
    applicable" (the estimator itself rejects the data).
    """

    configuration: Configuration
    result: str
    detail: str = ""
    seconds: float = 0.0


class _TooSlow(BaseException):
    """Not an Exception, which many handlers catch."""


def measure(configuration: Configuration) -> Outcome:
    """Return what becomes of a configuration."""
    started = time.process_time()
    try:
        # Standard output is the log of the served model.
        with _time_limit(), _quiet(), redirect_stdout(StringIO()), threadpool_limits(1):
            result, detail = _measure(configuration)
    except _TooSlow:
        result, detail = "error", f"takes over {_CPU_SECONDS} s of processor time"
    except Exception as error:
        result, detail = "error", f"{type(error).__name__}: {error}"
    detail = " ".join(detail.split())
    return Outcome(configuration, result, detail, time.process_time() - started)


def _measure(configuration: Configuration) -> tuple[str, str]:
    data = load(configuration.data)
    estimator = clone(configuration.estimator)
    try:
        estimator.fit(data.X, data.y)
        estimator.predict(data.X)
    except Exception as error:  # the estimator does not suit the data
        return "not applicable", f"{type(error).__name__}: {error}"
    try:
        built = build_artifact(estimator, data.X, data.y, name="fidelity")
    except TrainingError as error:
        return _judge_rejection(str(error))
    difference = _find_difference(estimator, load_model(built.artifact), data)
    if difference:
        return "wrong", f"by {built.runtime}: {difference}"
    reason = "" if built.runtime == "onnx" else built.attempts[0].rejection or ""
    return built.runtime, reason


def _judge_rejection(reason: str) -> tuple[str, str]:
    """Return "rejected" if the reason is clear, else "error"."""
    if len(reason) > _REASON_LENGTH or "\n" in reason:
        return "error", f"rejected in {len(reason)} characters: {reason}"
    if "cannot be published" in reason or _HIDDEN_ERROR.search(reason):
        return "error", f"rejected for a fault of the program: {reason}"
    return "rejected", reason


def _find_difference(estimator: Any, model: Model, data: Data) -> str | None:
    """Return how the model's predictions differ from the estimator's."""
    X = changed_rows(data.X)
    payload = to_json(X, model.manifest.signature.names)
    accepted = [row for row, sample in enumerate(payload) if _is_accepted(model, sample)]
    actual = _try_to_answer(model, [payload[row] for row in accepted])
    if actual is None:  # some values are too large for the model
        accepted = [row for row in accepted if _try_to_answer(model, [payload[row]])]
        actual = _answer(model, [payload[row] for row in accepted])
    rejected = [row for row in range(TRAINING_ROWS) if row not in set(accepted)]
    if rejected:
        return f"a row of the training data is rejected: {payload[rejected[0]]}"
    expected = _predict(estimator, take(X, accepted), model)
    if expected is None:
        row = next(row for row in accepted if not _predict(estimator, take(X, [row]), model))
        return f"a row that scikit-learn rejects is answered: {payload[row]}"
    return _compare(expected, actual, [payload[row] for row in accepted])


class _Answer(NamedTuple):
    labels: list[str]
    probabilities: npt.NDArray[np.float64] | None


def _is_accepted(model: Model, sample: Any) -> bool:
    try:
        read_samples([sample], model.manifest.signature, locate_in_rows("data"), max_rows=1)
    except InvalidRequest:
        return False
    return True


def _try_to_answer(model: Model, payload: list[Any]) -> _Answer | None:
    try:
        return _answer(model, payload)
    except InvalidRequest:
        return None


def _answer(model: Model, payload: list[Any]) -> _Answer:
    prediction, _ = predict(payload, model, locate_in_rows("data"), max_rows=len(payload))
    if prediction.probabilities is None:
        return _Answer(prediction.labels, None)
    rows = probability_rows(prediction, model.manifest.signature)
    return _Answer(prediction.labels, np.array(rows, dtype=np.float64))


def _predict(estimator: Any, X: Any, model: Model) -> _Answer | None:
    """Return the estimator's answer, None if it raises."""
    try:
        labels = [str(label) for label in np.asarray(estimator.predict(X)).tolist()]
        has_probabilities = model.manifest.signature.has_probabilities
        return _Answer(labels, estimator.predict_proba(X) if has_probabilities else None)
    except Exception:  # an estimator may raise anything
        return None


def _compare(expected: _Answer, actual: _Answer, payload: list[Any]) -> str | None:
    pairs = zip(expected.labels, actual.labels, strict=True)
    wrong = [row for row, (label, other) in enumerate(pairs) if label != other]
    if wrong:
        row = wrong[0]
        return (
            f"{len(wrong)} of {len(payload)} labels differ, "
            f"{actual.labels[row]!r} for {expected.labels[row]!r} of {payload[row]}"
        )
    if (expected.probabilities is None) != (actual.probabilities is None):
        return "only one has probabilities"
    if expected.probabilities is None or actual.probabilities is None:
        return None
    equal = np.isclose(
        actual.probabilities,
        expected.probabilities,
        rtol=0,
        atol=PROBABILITY_TOLERANCE,
        equal_nan=True,
    ).all(axis=1)
    if equal.all():
        return None
    row = int(np.argmin(equal))
    difference = np.abs(actual.probabilities[row] - expected.probabilities[row]).max()
    return (
        f"probabilities of {np.sum(~equal)} of {len(payload)} rows differ, "
        f"by {difference:.1e} for {payload[row]}"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _time_limit() -> Iterator[None]:
    """Raise after `_CPU_SECONDS` of this process."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooSlow

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, _CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
