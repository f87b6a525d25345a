"""Predict the labels of many rows with a loaded model, in runs that fit the processor's cache."""

from __future__ import annotations

import logging
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.errors import Problem
from chalicelib.inputs.samples import Samples
from chalicelib.inputs.text_encoding import CategoryEncoder
from chalicelib.models.manifest import Manifest
from chalicelib.models.model import Model
from chalicelib.runtimes.onnx_classifier import (
    MAX_ROWS_PER_RUN,
    MAX_VALUES_PER_RUN,
    OnnxClassifier,
)
from chalicelib.runtimes.onnx_session import Session
from training.scoring.compiling import compile_trees
from training.scoring.parsed import booleans, floats, strings

if TYPE_CHECKING:
    from training.scoring.tree_session import TreeSession

LOG = logging.getLogger(__name__)

# A graph of this many bytes or fewer computes nothing wide: it has no room for the constants.
SMALL_GRAPH_BYTES = 32_000
_ROWS_PER_SMALL_RUN = 8_000

TOO_LARGE = "has values too large for the model"
NOT_COMPUTED = "has values that the model cannot compute"


class Predicted(NamedTuple):
    """The labels of rows.

    Parameters
    ----------
    indices : numpy.ndarray of int64
        Shape (rows,): the index of each row's class.
    probabilities : numpy.ndarray of float32 or float64, or None
        Shape (rows, classes).
    failed : dict of int to Problem
        The rows that have no label, by their indices.
    """

    indices: npt.NDArray[np.int64]
    probabilities: npt.NDArray[Any] | None
    failed: dict[int, Problem]


def holds_interpreter(manifest: Manifest) -> bool:
    """Return whether most of the work is Python's own: threads would wait for each other."""
    return manifest.runtime != "onnx" or any(
        "categories" not in encoder for encoder in manifest.text_encoders
    )


class Predictor:
    """Predicts with a model; threads may share it.

    Parameters
    ----------
    model : Model
    artifact : bytes
    table_bytes : int, default=0
        The size of the table, which tells whether to compile trees.

    Attributes
    ----------
    trees : Future of TreeSession or None
        The compiled trees, which are used from when they are ready.
    """

    def __init__(self, model: Model, artifact: bytes, table_bytes: int = 0) -> None:
        self._model = model
        self._signature = model.manifest.signature
        self._onnx = model.classifier if isinstance(model.classifier, OnnxClassifier) else None
        is_small = len(artifact) <= SMALL_GRAPH_BYTES
        self._rows_per_run = _ROWS_PER_SMALL_RUN if is_small else MAX_ROWS_PER_RUN
        self.trees = compile_trees(artifact, table_bytes) if self._onnx else None
        self._is_checked = False  # whether the trees give what ONNX Runtime gives

    def predict(self, numbers: npt.NDArray[np.float64], texts: list[Any]) -> Predicted:
        """Predict the labels of rows that fit the model's signature.

        Parameters
        ----------
        numbers : numpy.ndarray of float64
            Shape (rows, features that are not text), row by row in memory.
        texts : list of pyarrow.Array of str
            A column for each feature that is text.
        """
        size = self._run_size()
        parts = [
            self._predict_part(
                numbers[start : start + size], [text[start : start + size] for text in texts]
            )
            for start in range(0, len(numbers), size)
        ]
        return _join(parts) if parts else Predicted(np.empty(0, np.int64), None, {})

    def _run_size(self) -> int:
        if self._onnx is None:
            return MAX_ROWS_PER_RUN * 10
        trees = self._ready_trees()
        if trees is not None and self._is_checked:
            return trees.rows_per_run
        return max(1, min(self._rows_per_run, MAX_VALUES_PER_RUN // self._onnx.row_values))

    def _predict_part(self, numbers: npt.NDArray[np.float64], texts: list[Any]) -> Predicted:
        try:
            indices, probabilities = self._compute(numbers, texts)
        except Exception:  # a model may fail on some rows, with any error
            if len(numbers) > 1:
                half = len(numbers) // 2
                halves = (slice(half), slice(half, None))
                return _join(
                    [self._predict_part(numbers[h], [t[h] for t in texts]) for h in halves]
                )
            classes = len(self._signature.classes)
            nothing = np.zeros((1, classes)) if self._signature.has_probabilities else None
            return Predicted(np.zeros(1, np.int64), nothing, {0: Problem("", NOT_COMPUTED)})
        failed: dict[int, Problem] = {}
        if probabilities is not None and not self._signature.allows_nan:
            failed = _find_overflow(probabilities)
        return Predicted(indices, probabilities, failed)

    def _compute(
        self, numbers: npt.NDArray[np.float64], texts: list[Any]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any] | None]:
        if self._onnx is None:
            return self._compute_by_samples(numbers, texts)
        matrix: Any = self._encode(numbers, texts) if texts else numbers.ravel()
        class_indices, *outputs = self._run(self._onnx.session, len(numbers), matrix)
        indices = np.frombuffer(class_indices, class_indices.typecode).astype(np.int64, copy=False)
        if not outputs:
            return indices, None
        return indices, _to_matrix(outputs[0], len(numbers))

    def _run(self, session: Session, rows: int, matrix: Any) -> list[array[Any]]:
        """Run the compiled trees if they are ready; compare the first rows with ONNX Runtime's."""
        trees = self._ready_trees()
        if trees is None:
            return session.run(rows, matrix)
        outputs = trees.run(rows, matrix)
        if not self._is_checked:
            expected = session.run(rows, matrix)
            if [each.tobytes() for each in outputs] != [each.tobytes() for each in expected]:
                LOG.warning("The compiled trees differ from ONNX Runtime, which scores instead.")
                self.trees = None
                return expected
            self._is_checked = True
        return outputs

    def _ready_trees(self) -> TreeSession | None:
        trees = self.trees
        return trees.result() if trees is not None and trees.done() else None

    def _compute_by_samples(
        self, numbers: npt.NDArray[np.float64], texts: list[Any]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any] | None]:
        columns = [text.to_pylist() for text in texts]
        flat = [value for row in zip(*columns, strict=True) for value in row]
        samples = Samples(len(numbers), array("d", numbers.tobytes()), flat)
        prediction = self._model.classifier.predict(samples)
        index_of = {label: index for index, label in enumerate(self._signature.classes)}
        indices = np.array([index_of[label] for label in prediction.labels], np.int64)
        if prediction.probabilities is None:
            return indices, None
        return indices, _to_matrix(prediction.probabilities, len(numbers))

    def _encode(self, numbers: npt.NDArray[np.float64], texts: list[Any]) -> Any:
        """Return the graph's input, as `chalicelib.inputs.text_encoding.encode_texts` does."""
        assert self._onnx is not None
        rows, width = numbers.shape
        stride = width + sum(encoder.width for encoder in self._onnx.encoders)
        matrix = array("d", [0.0]) * (rows * stride)
        view = np.frombuffer(matrix, np.float64).reshape(rows, stride)
        view[:, :width] = numbers
        positions = {index: i for i, index in enumerate(self._signature.text_indices)}
        for encoder in self._onnx.encoders:
            text = texts[positions[encoder.feature]]
            if isinstance(encoder, CategoryEncoder):
                view[:, width] = _encode_categories(encoder, text)
            else:
                encoder.encode(text.to_pylist(), matrix, width, stride)
            width += encoder.width
        return matrix


def _encode_categories(encoder: CategoryEncoder, text: Any) -> npt.NDArray[np.float64]:
    categories = encoder.categories
    codes = floats(pc.cast(pc.index_in(text, strings(categories)), pa.float64()))
    # Another text is one above the last category, and a missing one two above it.
    others = len(categories) + booleans(pc.is_null(text)).astype(np.float64)
    return np.where(np.isnan(codes), others, codes)


def _find_overflow(probabilities: npt.NDArray[Any]) -> dict[int, Problem]:
    if np.isfinite(probabilities.sum()):
        return {}
    rows = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    return dict.fromkeys(rows.tolist(), Problem("", TOO_LARGE))


def _to_matrix(values: array[float], rows: int) -> npt.NDArray[Any]:
    return np.frombuffer(values, values.typecode).reshape(rows, -1)


def _join(parts: list[Predicted]) -> Predicted:
    if len(parts) == 1:
        return parts[0]
    probabilities = [part.probabilities for part in parts if part.probabilities is not None]
    failed: dict[int, Problem] = {}
    start = 0
    for part in parts:
        failed |= {start + row: problem for row, problem in part.failed.items()}
        start += len(part.indices)
    return Predicted(
        np.concatenate([part.indices for part in parts]),
        np.concatenate(probabilities) if probabilities else None,
        failed,
    )
