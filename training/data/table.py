"""The training table: the kind of each column, and conversion to the estimator's input."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from chalicelib.inputs.signature import LARGEST_NUMBER, Feature, Kind, Signature
from chalicelib.runtimes.sklearn_classifier import build_matrix
from training.data.arrays import Arrays
from training.data.columns import read_column, to_column
from training.errors import NotServable


class Table:
    """Training samples: a matrix, a frame with named columns, or a sequence of texts.

    Parameters
    ----------
    X : array-like or pandas.DataFrame
        Shape (samples, features).
    feature_names : sequence of str, optional
        Names of the columns. Default: the frame's, or ``x0``, ``x1``, ...
    unused_columns : tuple of int, default=()
        Indices, among the columns that the estimator was fitted on, of those that are not in `X`.
    is_text_sequence : bool, default=False
        Whether the estimator takes the one column of `X` as a sequence, shape (samples,).

    Raises
    ------
    NotServable
        If a column is not numbers, booleans or text, or two columns have the same name.
    """

    def __init__(
        self,
        X: object,
        feature_names: Any = None,
        *,
        unused_columns: tuple[int, ...] = (),
        is_text_sequence: bool = False,
    ) -> None:
        self._frame = X if isinstance(X, pd.DataFrame) and not is_text_sequence else None
        self.unused_columns, self.is_text_sequence = unused_columns, is_text_sequence
        series = _split_columns(X)
        self.names = _feature_names(X, feature_names, len(series))
        columns = [read_column(name, each) for name, each in zip(self.names, series, strict=True)]
        kinds = [column.kind for column in columns]
        if self._frame is None and "categorical" not in kinds:
            # A matrix of numbers has one type for all columns.
            kinds = ["boolean" if kind == "boolean" else "numeric" for kind in kinds]
        self.kinds: list[Kind] = kinds
        self._missing = [np.nan if c.has_nan or not c.has_none else None for c in columns]
        # The indices of columns that hold None, and NaN too or numbers, which hold NaN otherwise.
        self.mixed_missing = [
            index
            for index, column in enumerate(columns)
            if column.has_none and (column.has_nan or kinds[index] in ("numeric", "integer"))
        ]
        if self._frame is None and "categorical" not in kinds:
            self.mixed_missing = []  # a matrix of numbers is float64
        for index in self.mixed_missing:
            self._missing[index] = np.nan
        # The position of each column among those of text, or among the others.
        is_text = [kind == "categorical" for kind in kinds]
        self._positions = [is_text[:i].count(text) for i, text in enumerate(is_text)]
        self.samples = _to_arrays(kinds, [column.values for column in columns])

    def __len__(self) -> int:
        return len(self.samples.numbers)

    @property
    def float32_features(self) -> list[int]:
        """Indices of a frame's float32 columns, which round what they are given."""
        dtypes = [] if self._frame is None else list(self._frame.dtypes)
        return [i for i, dtype in enumerate(dtypes) if str(dtype).lower() == "float32"]

    @property
    def missing_texts(self) -> dict[int, float | None]:
        """The value of a missing text, None or NaN, by the index of its column."""
        return {i: self._missing[i] for i, kind in enumerate(self.kinds) if kind == "categorical"}

    def missing_is_none(self, index: int) -> bool:
        """Return whether a missing value of a column is None, not NaN."""
        return self._missing[index] is None

    def set_missing(self, index: int, value: float | None) -> None:
        """Set what a missing value of a column becomes: None or NaN."""
        self._missing[index] = value

    def is_text(self, index: int) -> bool:
        """Return whether a column holds text."""
        return self.kinds[index] == "categorical"

    def column(self, index: int) -> npt.NDArray[Any]:
        """Return a column, float64 with NaN or object with None for missing values."""
        return self.column_of(self.samples, index)

    def has_missing(self, index: int) -> bool:
        """Return whether a column has missing values."""
        return bool(pd.isna(self.column(index)).any())

    def servable_rows(self) -> npt.NDArray[np.bool_]:
        """Return which samples a request can hold: no infinite numbers, no half characters."""
        servable = np.ones(len(self), dtype=np.bool_)
        for numbers in self.samples.numbers.T:  # one by one: a copy of all may not fit in memory
            servable &= ~(np.abs(numbers) > LARGEST_NUMBER)
        for texts in self.samples.texts.T:
            if not _is_utf8("".join(text for text in texts if text is not None)):
                servable &= [_is_utf8(text or "") for text in texts]
        return servable

    def keep_rows(self, rows: npt.NDArray[np.bool_]) -> None:
        """Leave out all other samples."""
        self.samples = Arrays(self.samples.numbers[rows], self.samples.texts[rows])

    def first_sample_with(self, index: int, value: object) -> Arrays:
        """Copy the first sample and replace the value of one column."""
        return self.first_sample_with_each([(index, value)])

    def first_sample_with_each(self, changes: list[tuple[int, object]]) -> Arrays:
        """Copy the first sample once for each change, and replace the value of its column."""
        samples = self.samples.take([0] * len(changes))
        for row, (index, value) in enumerate(changes):
            self.column_of(samples, index)[row] = value
        return samples

    def to_estimator_input(self, samples: Arrays) -> Any:
        """Convert samples to the form that the estimator was fitted on.

        Parameters
        ----------
        samples : Arrays
            Samples with this table's columns.

        Returns
        -------
        numpy.ndarray or pandas.DataFrame
            Shape (samples, features), or (samples,) of a sequence of texts. Columns of a frame
            keep their dtype, except NumPy's integers and booleans with missing values.
        """
        if self._frame is not None:
            return self._to_frame(samples, self._frame)
        if set(self.kinds) == {"boolean"} and None not in self._missing:
            numbers = samples.numbers
            return numbers if np.isnan(numbers).any() else numbers.astype(np.bool_)
        return build_matrix(*samples, self._signature())

    def _to_frame(self, samples: Arrays, like: pd.DataFrame) -> pd.DataFrame:
        """Build a frame; columns of one NumPy type at once, as there may be thousands."""
        dtypes = list(like.dtypes)
        if all(dtype == np.float64 for dtype in dtypes):
            return pd.DataFrame(samples.numbers, columns=like.columns)
        blocks: dict[Any, list[int]] = {}
        columns, parts, order = [], [], []
        for index, dtype in enumerate(dtypes):
            values = self.column_of(samples, index)
            columns.append(to_column(values, dtype, self.kinds[index], self._missing[index]))
            if isinstance(columns[index], np.ndarray):
                blocks.setdefault(columns[index].dtype, []).append(index)
            else:
                parts.append(pd.DataFrame({index: columns[index]}))
                order.append(index)
        for indices in blocks.values():
            block = np.column_stack([columns[index] for index in indices])
            parts.append(pd.DataFrame(block, dtype=block.dtype))  # pandas infers text otherwise
            order += indices
        frame = pd.concat(parts, axis=1) if len(parts) > 1 else parts[0]
        if order != list(range(len(order))):
            frame = frame.iloc[:, np.argsort(order)]
        frame.columns = like.columns
        return frame

    def _signature(self) -> Signature:
        """Return the features' names and kinds; all required, as nothing was probed yet."""
        features = [
            Feature(name, kind, required=True, missing_is_none=self.missing_is_none(index))
            for index, (name, kind) in enumerate(zip(self.names, self.kinds, strict=True))
        ]
        return Signature(
            tuple(features),
            (),
            unused_columns=self.unused_columns,
            is_text_sequence=self.is_text_sequence,
        )

    def column_of(self, samples: Arrays, index: int) -> npt.NDArray[Any]:
        """Return a view of one column of samples with this table's columns."""
        is_text, position = self.is_text(index), self._positions[index]
        column: npt.NDArray[Any] = (samples.texts if is_text else samples.numbers)[:, position]
        return column


def call_estimator(estimator: Any, X: Any, *, probabilities: bool) -> tuple[list[str], Any]:
    """Predict with a fitted estimator, without its warnings.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like or pandas.DataFrame
        Shape (samples, features), in the form that it was fitted on.
    probabilities : bool
        Whether to call ``predict_proba`` as well.

    Returns
    -------
    labels : list of str
        Shape (samples,).
    probabilities : numpy.ndarray or None
        Shape (samples, classes).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predicted = np.asarray(estimator.predict(X))
        if predicted.ndim == 2 and predicted.shape[1] == 1:  # CatBoost returns a column
            predicted = predicted[:, 0]
        labels = [str(label) for label in predicted.tolist()]
    return labels, call_predict_proba(estimator, X) if probabilities else None


def call_predict_proba(estimator: Any, X: Any) -> Any:
    """Return a fitted estimator's probabilities, shape (samples, classes), without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.predict_proba(X)


def _split_columns(X: Any) -> list[pd.Series[Any]]:
    if hasattr(X, "toarray"):
        raise NotServable(
            "X is a sparse matrix, and requests are dense: publish the pipeline that makes it, "
            "or fit on X.toarray()."
        )
    if isinstance(X, pd.DataFrame):
        if not len(X):
            raise NotServable("X has no rows: pass the training data, or data like it.")
        if not X.shape[1]:
            raise NotServable("X has no columns: pass the training data, or data like it.")
        return [X.iloc[:, index] for index in range(X.shape[1])]
    matrix = np.asarray(X)
    if matrix.dtype.kind == "U" and not hasattr(X, "dtype"):
        matrix = np.asarray(X, dtype=np.object_)  # lists of texts and numbers
    if matrix.ndim != 2 or not matrix.size:
        raise NotServable(
            f"X must be samples by features and not empty; its shape is {matrix.shape}."
        )
    return [_infer_type(column) for column in matrix.T]


def _infer_type(column: npt.NDArray[Any]) -> pd.Series[Any]:
    """Return a column of a matrix; objects that are all numbers or booleans have their type."""
    if column.dtype.kind in "biuf":
        return pd.Series(column, copy=False)  # there may be a million samples
    series = pd.Series(column, dtype=np.object_ if column.dtype.kind in "OUS" else None)
    inferred = series.infer_objects()
    return inferred if inferred.dtype.kind in "biuf" else series


def _feature_names(X: Any, names: Any, count: int) -> list[str]:
    if names is None:
        is_frame = isinstance(X, pd.DataFrame)
        names = X.columns if is_frame else [f"x{index}" for index in range(count)]
    if isinstance(names, str):
        raise NotServable("feature_names must be a list of names, not text.")
    texts = [str(name) for name in names]
    if len(texts) != count:
        raise NotServable(f"There are {len(texts)} feature names for {count} columns.")
    [(name, uses)] = Counter(texts).most_common(1) or [("", 0)]
    if uses > 1:
        raise NotServable(f"X has more than one column named {name!r}: rename one.")
    return texts


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _to_arrays(kinds: list[Kind], columns: list[npt.NDArray[Any]]) -> Arrays:
    pairs = list(zip(kinds, columns, strict=True))
    numbers = [
        column.astype(np.float64, copy=False) for kind, column in pairs if kind != "categorical"
    ]
    texts = [column for kind, column in pairs if kind == "categorical"]
    return Arrays.from_columns(len(columns[0]), numbers, texts)
