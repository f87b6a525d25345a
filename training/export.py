"""From a fitted estimator to ONNX that answers exactly as scikit-learn does, or not at all."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.base import ClassifierMixin

from chalicelib.errors import InvalidArtifact
from chalicelib.model import PROBABILITY_TOLERANCE, Classifier
from chalicelib.onnx_classifier import INPUT, LABEL, PROBABILITIES, OnnxClassifier
from training.converters import CONVERSIONS, SHAPES
from training.errors import ExportRefused

RANDOM_ROWS = 5_000
GAP_FRACTION = 0.2
_SEED = 0


class Agreement(NamedTuple):
    """How near an exported model comes to scikit-learn.

    Parameters
    ----------
    rows : int
        How many samples were compared.
    labels_differing : int
        For how many of them another label came out.
    largest_difference : float
        The largest difference of a probability.
    """

    rows: int
    labels_differing: int
    largest_difference: float


class Exported(NamedTuple):
    """An estimator in ONNX.

    Parameters
    ----------
    model : bytes
        The ONNX file.
    agreement : Agreement
        How near it comes to the estimator.
    """

    model: bytes
    agreement: Agreement


def export_onnx(
    estimator: ClassifierMixin, X: npt.NDArray[np.float64], optional: list[bool]
) -> Exported:
    """Write a fitted classifier as ONNX in float64 and compare the two.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : numpy.ndarray of float64
        Shape (samples, features): the samples to compare on. As many as `RANDOM_ROWS` random ones
        over their range are compared as well, with gaps where a value may be missing.
    optional : list of bool
        For each feature, whether its value may be missing.

    Returns
    -------
    Exported

    Raises
    ------
    ExportRefused
        If it cannot be converted, a label differs, or a probability differs by more than
        `PROBABILITY_TOLERANCE`.
    """
    model = _convert(estimator, X.shape[1])
    try:
        classifier = OnnxClassifier(model)
    except InvalidArtifact as error:
        raise ExportRefused(str(error)) from error
    agreement = compare(estimator, classifier, comparison_rows(X, optional))
    if agreement.labels_differing or not agreement.largest_difference <= PROBABILITY_TOLERANCE:
        raise ExportRefused(
            f"The ONNX model differs from scikit-learn: {agreement.labels_differing} of "
            f"{agreement.rows} labels, probabilities by up to {agreement.largest_difference:.1e}."
        )
    return Exported(model, agreement)


def _convert(estimator: ClassifierMixin, n_features: int) -> bytes:
    try:
        graph = convert_sklearn(
            estimator,
            name="classifier",
            initial_types=[(INPUT, DoubleTensorType([None, n_features]))],
            final_types=None,
            options={"zipmap": False},
            custom_conversion_functions=CONVERSIONS,
            custom_shape_calculators=SHAPES,
        )
    except Exception as error:  # a converter may raise anything
        raise ExportRefused(
            f"{type(estimator).__name__} cannot be converted to ONNX: {error}"
        ) from error
    outputs = [output.name for output in graph.graph.output]
    if outputs != [LABEL, PROBABILITIES]:
        raise ExportRefused(f"The converted model has other outputs than a classifier: {outputs}.")
    serialized: bytes = graph.SerializeToString(deterministic=True)
    return serialized


def comparison_rows(X: npt.NDArray[np.float64], optional: list[bool]) -> npt.NDArray[np.float64]:
    """Give the samples that two models are compared on.

    Parameters
    ----------
    X : numpy.ndarray of float64
        Shape (samples, features).
    optional : list of bool
        For each feature, whether its value may be missing.

    Returns
    -------
    numpy.ndarray of float64
        Those of `X`, `RANDOM_ROWS` uniform over the range of each feature and, where values may
        be missing, as many again with gaps and one with nothing but its first feature.
    """
    random = np.random.default_rng(_SEED)
    low, high = np.nanmin(X, axis=0), np.nanmax(X, axis=0)
    uniform = random.uniform(low, high, size=(RANDOM_ROWS, X.shape[1]))
    if not any(optional):
        return np.vstack([X, uniform])
    gaps = random.random(uniform.shape) < GAP_FRACTION
    with_gaps = np.where(gaps & np.array(optional), np.nan, uniform)
    first_alone = np.where(np.array(optional), np.nan, low)
    first_alone[0] = low[0]
    return np.vstack([X, uniform, with_gaps, first_alone])


def compare(
    estimator: ClassifierMixin, classifier: Classifier, rows: npt.NDArray[np.float64]
) -> Agreement:
    """Compare what scikit-learn and an exported model say of the same samples.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    classifier : Classifier
        What it was exported to.
    rows : numpy.ndarray of float64
        Shape (samples, features).

    Returns
    -------
    Agreement
    """
    prediction = classifier.predict(rows)
    labels = [str(label) for label in estimator.predict(rows).tolist()]
    differing = sum(ours != theirs for ours, theirs in zip(prediction.labels, labels, strict=True))
    differences = np.abs(prediction.probabilities - estimator.predict_proba(rows))
    return Agreement(len(rows), differing, float(differences.max()))


def find_optional_features(estimator: ClassifierMixin, X: npt.NDArray[np.float64]) -> list[bool]:
    """Find out which values the estimator itself can do without, by leaving each of them out.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : numpy.ndarray of float64
        Shape (samples, features).

    Returns
    -------
    list of bool
        For each feature, whether its value may be missing.
    """
    return [_can_miss(estimator, X[:1], column) for column in range(X.shape[1])]


def _can_miss(estimator: Any, sample: npt.NDArray[np.float64], column: int) -> bool:
    without = sample.copy()
    without[:, column] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bool(np.isfinite(estimator.predict_proba(without)).all())
        except Exception:  # however it says no
            return False
