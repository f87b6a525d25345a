"""The training table: the kind of each column, and conversion to the estimator's input."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from chalicelib.inputs.signature import Feature, Kind, Signature
from chalicelib.runtimes.sklearn_classifier import build_matrix
from training.data.arrays import Arrays
from training.errors import NotServable


class Table:
    """Training samples: a matrix, or a frame with named columns.

    Parameters
    ----------
    X : array-like or pandas.DataFrame
        Shape (samples, features).
    feature_names : list of str, optional
        Names of the columns. Default: the frame's, or ``x0``, ``x1``, ...

    Raises
    ------
    NotServable
        If a column is not numbers, booleans or text, or two columns have the same name.
    """

    def __init__(self, X: object, feature_names: list[str] | None = None) -> None:
        self._frame = X if isinstance(X, pd.DataFrame) else None
        columns = _split_columns(X)
        self.names = feature_names or _default_names(X, len(columns))
        duplicates = sorted({name for name in self.names if self.names.count(name) > 1})
        if duplicates:
            raise NotServable(f"X has more than one column named {duplicates[0]!r}.")
        if len(self.names) != len(columns):
            raise NotServable(f"There are {len(self.names)} names for {len(columns)} columns.")
        kinds = [
            _infer_kind(name, column) for name, column in zip(self.names, columns, strict=True)
        ]
        if self._frame is None and "categorical" not in kinds:
            kinds = ["numeric"] * len(kinds)  # a matrix has one type for all columns
        self.kinds: list[Kind] = kinds
        # The value of a missing text, None or NaN, by the index of its column.
        self.missing_texts = {
            index: _missing_text(self.names[index], _column(X, index))
            for index, kind in enumerate(kinds)
            if kind == "categorical"
        }
        self.samples = _to_arrays(kinds, columns)

    def __len__(self) -> int:
        return len(self.samples.numbers)

    @property
    def float32_features(self) -> list[int]:
        """Indices of a frame's float32 columns, which round what they are given."""
        dtypes = [] if self._frame is None else list(self._frame.dtypes)
        return [i for i, dtype in enumerate(dtypes) if str(dtype).lower() == "float32"]

    def is_text(self, index: int) -> bool:
        """Return whether a column holds text."""
        return self.kinds[index] == "categorical"

    def column(self, index: int) -> npt.NDArray[Any]:
        """Return a column, float64 with NaN or object with None for missing values."""
        return self._column_of(self.samples, index)

    def first_sample_with(self, index: int, value: object) -> Arrays:
        """Copy the first sample and replace the value of one column."""
        sample = self.samples.take([0])
        self._column_of(sample, index)[0] = value
        return sample

    def to_estimator_input(self, samples: Arrays) -> Any:
        """Convert samples to the form that the estimator was fitted on.

        Parameters
        ----------
        samples : Arrays
            Samples with this table's columns.

        Returns
        -------
        numpy.ndarray or pandas.DataFrame
            Shape (samples, features). Columns of a frame keep their dtype, except integers and
            booleans with missing values.
        """
        matrix = build_matrix(*samples, self._signature())
        if self._frame is None:
            return matrix
        columns = [
            _to_series(matrix[:, index], dtype) for index, dtype in enumerate(self._frame.dtypes)
        ]
        return pd.concat(columns, axis=1, keys=self._frame.columns)

    def _signature(self) -> Signature:
        """Return the features' names and kinds; all required, as nothing was probed yet."""
        features = [
            Feature(
                name,
                kind,
                required=True,
                missing_is_none=self.missing_texts.get(index, np.nan) is None,
            )
            for index, (name, kind) in enumerate(zip(self.names, self.kinds, strict=True))
        ]
        return Signature(tuple(features), ())

    def _column_of(self, samples: Arrays, index: int) -> npt.NDArray[Any]:
        """Return a view of one column of samples with this table's columns."""
        text_columns_before = self.kinds[:index].count("categorical")
        column: npt.NDArray[Any] = (
            samples.texts[:, text_columns_before]
            if self.is_text(index)
            else samples.numbers[:, index - text_columns_before]
        )
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
        return labels, estimator.predict_proba(X) if probabilities else None


def _split_columns(X: Any) -> list[npt.NDArray[Any]]:
    if isinstance(X, pd.DataFrame):
        return [_to_array(X.iloc[:, index]) for index in range(X.shape[1])]
    if hasattr(X, "toarray"):
        raise NotServable("X is a sparse matrix. Requests are dense: pass X.toarray().")
    matrix = np.asarray(X)
    if matrix.ndim != 2 or not matrix.size:
        raise NotServable(
            f"X must be samples by features and not empty; its shape is {matrix.shape}."
        )
    return [_to_array(pd.Series(column).infer_objects()) for column in matrix.T]


def _column(X: Any, index: int) -> npt.NDArray[Any]:
    """Return a column with its values as they are."""
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, index].to_numpy(dtype=np.object_)
    return np.asarray(X, dtype=np.object_)[:, index]


def _missing_text(name: str, values: npt.NDArray[Any]) -> float | None:
    """Return what a missing value is in a column of text: None or NaN."""
    has_none = any(value is None for value in values)
    if has_none and any(isinstance(value, float) for value in values):
        raise NotServable(
            f"Column {name!r} has both None and NaN for missing values, which are not the same to "
            "scikit-learn, but are both null in a request: fit on one of them."
        )
    return None if has_none else np.nan


def _to_series(values: npt.NDArray[Any], dtype: Any) -> pd.Series[Any]:
    """Convert values to a column's dtype, as far as it can represent them."""
    if isinstance(dtype, pd.CategoricalDtype):
        known = dtype.categories
        unseen = [v for v in dict.fromkeys(values) if not pd.isna(v) and v not in known]
        return pd.Series(pd.Categorical(values, categories=[*known, *unseen]))
    series = pd.Series(values)
    is_missing = series.isna()
    if dtype == np.object_:
        return series
    if is_missing.any() and not pd.api.types.is_extension_array_dtype(dtype):
        return series.infer_objects() if dtype.kind in "biu" else series.astype(dtype)
    return series.astype(dtype)


def _to_array(series: pd.Series[Any]) -> npt.NDArray[Any]:
    """Convert a column to booleans, integers, floats with NaN, or objects with None."""
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


def _default_names(X: Any, count: int) -> list[str]:
    if isinstance(X, pd.DataFrame):
        return [str(name) for name in X.columns]
    return [f"x{index}" for index in range(count)]


def _infer_kind(name: str, column: npt.NDArray[Any]) -> Kind:
    if column.dtype.kind == "b":
        return "boolean"
    if column.dtype.kind == "i":
        return "integer"
    if column.dtype.kind == "f":
        return "numeric"
    types = {type(value) for value in column if value is not None}
    if types == {str}:
        return "categorical"
    if types == {bool}:
        return "boolean"
    type_names = " and ".join(sorted(type_.__name__ for type_ in types)) or "nothing"
    raise NotServable(
        f"Column {name!r} holds {type_names}; features must be numbers, booleans or text."
    )


def _to_arrays(kinds: list[Kind], columns: list[npt.NDArray[Any]]) -> Arrays:
    pairs = list(zip(kinds, columns, strict=True))
    numbers = [column.astype(np.float64) for kind, column in pairs if kind != "categorical"]
    texts = [column for kind, column in pairs if kind == "categorical"]
    return Arrays.from_columns(len(columns[0]), numbers, texts)
