"""The data given to publish: what each column is, and how to ask the estimator about samples."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from chalicelib.inputs.signature import Feature, Kind, Signature
from chalicelib.runtimes.sklearn_classifier import as_matrix
from training.data.arrays import Arrays
from training.errors import NotServable


class Table:
    """Samples in the form that an estimator was fitted on: a matrix, or a frame of named columns.

    Parameters
    ----------
    X : array-like or pandas.DataFrame
        Shape (samples, features).
    feature_names : list of str, optional
        The names of the columns; without them, those of the frame, or ``x0``, ``x1`` and so on.

    Raises
    ------
    NotServable
        If it is not a table of numbers, booleans and text, or two columns have one name.
    """

    def __init__(self, X: object, feature_names: list[str] | None = None) -> None:
        self._frame = X if isinstance(X, pd.DataFrame) else None
        columns = _columns(X)
        self.names = feature_names or _names(X, len(columns))
        duplicates = sorted({name for name in self.names if self.names.count(name) > 1})
        if duplicates:
            raise NotServable(f"X has more than one column of the name {duplicates[0]!r}.")
        if len(self.names) != len(columns):
            raise NotServable(f"There are {len(self.names)} names for {len(columns)} columns.")
        kinds = [_kind(name, column) for name, column in zip(self.names, columns, strict=True)]
        if self._frame is None and "categorical" not in kinds:
            kinds = ["numeric"] * len(kinds)  # a matrix has one type, whatever it holds
        self.kinds: list[Kind] = kinds
        self.samples = self._as_samples(columns)

    def __len__(self) -> int:
        return len(self.samples.numbers)

    def signature(self) -> Signature:
        """Give the kinds of the features, before it is known which are required.

        Returns
        -------
        Signature
        """
        pairs = zip(self.names, self.kinds, strict=True)
        return Signature(tuple(Feature(name, kind, required=True) for name, kind in pairs), ())

    def place(self, position: int) -> int:
        """Tell where a feature is among the numbers or among the texts of samples.

        Parameters
        ----------
        position : int
            Which feature.

        Returns
        -------
        int
            The column of ``samples.texts`` if it is text, else of ``samples.numbers``.
        """
        texts_before = self.kinds[:position].count("categorical")
        return texts_before if self.is_text(position) else position - texts_before

    def is_text(self, position: int) -> bool:
        """Tell whether a feature is text.

        Parameters
        ----------
        position : int
            Which feature.

        Returns
        -------
        bool
        """
        return self.kinds[position] == "categorical"

    def column(self, position: int) -> npt.NDArray[Any]:
        """Give a column.

        Parameters
        ----------
        position : int
            Which.

        Returns
        -------
        numpy.ndarray
            Of float64 with NaN, or of object with None, for what is missing.
        """
        part = self.samples.texts if self.is_text(position) else self.samples.numbers
        column: npt.NDArray[Any] = part[:, self.place(position)]
        return column

    def to_estimator_input(self, samples: Arrays) -> Any:
        """Give samples the form that the estimator was fitted on.

        Parameters
        ----------
        samples : Arrays
            The samples.

        Returns
        -------
        numpy.ndarray or pandas.DataFrame
            A frame has the columns' own types, as far as what is missing lets them.
        """
        matrix = as_matrix(*samples, self.signature())
        if self._frame is None:
            return matrix
        frame = pd.DataFrame(matrix, columns=self._frame.columns).infer_objects()
        for position, (name, dtype) in enumerate(self._frame.dtypes.items()):
            # Whole numbers and booleans have no value for what is missing.
            if self.is_text(position) or frame[name].notna().all():
                frame[name] = frame[name].astype(dtype)
        return frame

    def _as_samples(self, columns: list[npt.NDArray[Any]]) -> Arrays:
        pairs = list(zip(self.kinds, columns, strict=True))
        numbers = [column.astype(np.float64) for kind, column in pairs if kind != "categorical"]
        texts = [column for kind, column in pairs if kind == "categorical"]
        return Arrays.from_columns(len(columns[0]), numbers, texts)


def call_estimator(estimator: Any, X: Any, *, probabilities: bool) -> tuple[list[str], Any]:
    """Ask a fitted estimator about samples.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like or pandas.DataFrame
        Samples in the form that it was fitted on.
    probabilities : bool
        Whether it gives probabilities.

    Returns
    -------
    labels : list of str
        Its answers.
    probabilities : numpy.ndarray or None
        Shape (samples, classes).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = [str(label) for label in np.asarray(estimator.predict(X)).tolist()]
        return labels, estimator.predict_proba(X) if probabilities else None


def _columns(X: Any) -> list[npt.NDArray[Any]]:
    if isinstance(X, pd.DataFrame):
        return [_values(X.iloc[:, position]) for position in range(X.shape[1])]
    if hasattr(X, "toarray"):
        raise NotServable("X is a sparse matrix; a request holds every feature: make it dense.")
    matrix = np.asarray(X)
    if matrix.ndim != 2 or not matrix.size:
        raise NotServable(
            f"X must be samples by features and not empty: its shape is {matrix.shape}."
        )
    return [_values(pd.Series(column).infer_objects()) for column in matrix.T]


def _values(series: pd.Series[Any]) -> npt.NDArray[Any]:
    """Give a column's values: floats with NaN, booleans, integers, or objects with None."""
    missing = series.isna().to_numpy()
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    if pd.api.types.is_bool_dtype(series.dtype) and not missing.any():
        return series.to_numpy(dtype=np.bool_)
    if pd.api.types.is_integer_dtype(series.dtype) and not missing.any():
        return series.to_numpy(dtype=np.int64)
    if pd.api.types.is_numeric_dtype(series.dtype) and series.dtype.kind != "c":
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    values: npt.NDArray[Any] = series.to_numpy(dtype=np.object_, copy=True)
    values[missing] = None
    return values


def _names(X: Any, count: int) -> list[str]:
    if isinstance(X, pd.DataFrame):
        return [str(name) for name in X.columns]
    return [f"x{position}" for position in range(count)]


def _kind(name: str, column: npt.NDArray[Any]) -> Kind:
    if column.dtype.kind == "b":
        return "boolean"
    if column.dtype.kind == "i":
        return "integer"
    if column.dtype.kind == "f":
        return "numeric"
    held = {type(value) for value in column if value is not None}
    if held == {str}:
        return "categorical"
    if held == {bool}:
        return "boolean"
    kinds = " and ".join(sorted(kind.__name__ for kind in held)) or "nothing"
    raise NotServable(f"Column {name!r} holds {kinds}: a feature is numbers, booleans or text.")
