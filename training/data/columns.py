"""One column of a table: read it as numbers or texts, and make it again in its own type."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from chalicelib.inputs.numbers import LARGEST_INTEGER
from chalicelib.inputs.signature import Kind
from training.errors import NotServable


class Column(NamedTuple):
    """The values of a column, as in `training.data.arrays.Arrays`.

    Parameters
    ----------
    kind : {"numeric", "integer", "boolean", "categorical"}
    values : numpy.ndarray
        Shape (samples,): float64 with NaN for missing values, or objects with None for them.
    has_none : bool
        Whether None is among the missing values.
    has_nan : bool
        Whether NaN, or pandas' NA, is among them.
    """

    kind: Kind
    values: npt.NDArray[Any]
    has_none: bool = False
    has_nan: bool = False


def read_column(name: str, series: pd.Series[Any]) -> Column:
    """Read a column; raise `NotServable` if it is not numbers, booleans or text."""
    dtype: Any = series.dtype
    if isinstance(dtype, pd.SparseDtype):
        return read_column(name, pd.Series(np.asarray(series)))
    if isinstance(dtype, pd.CategoricalDtype):
        # The gaps of pandas' categories are NaN, whatever they were made from.
        return _read_objects(name, series.astype(np.object_))._replace(has_none=False)
    if dtype.kind == "c":
        raise _not_servable(name, "complex numbers")
    if pd.api.types.is_bool_dtype(dtype) and dtype != np.object_:
        return Column("boolean", series.to_numpy(dtype=np.float64, na_value=np.nan))
    if pd.api.types.is_integer_dtype(dtype):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        _check_integers(name, values)
        return Column("integer", values)
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return Column("numeric", series.to_numpy().astype(np.float64, copy=False))
    if pd.api.types.is_float_dtype(dtype):
        return Column("numeric", series.to_numpy(dtype=np.float64, na_value=np.nan))
    if dtype == np.object_ or isinstance(dtype, pd.StringDtype):
        return _read_objects(name, series)
    raise _not_servable(name, str(dtype))


def to_column(values: npt.NDArray[Any], dtype: Any, kind: Kind, missing: float | None) -> Any:
    """Make a column of a type, as far as it can represent the values.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (samples,), as in `Column`.
    dtype : numpy.dtype or pandas' ExtensionDtype
        The column's type in the training data.
    kind : {"numeric", "integer", "boolean", "categorical"}
    missing : float or None
        What a missing value becomes in a column of objects: None or NaN.

    Returns
    -------
    numpy.ndarray or pandas.api.extensions.ExtensionArray
        Shape (samples,).
    """
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return values.astype(dtype, copy=False)
    is_missing = pd.isna(values)
    if isinstance(dtype, np.dtype) and dtype.kind in "iu":
        return _to_integers(values, dtype, is_missing)
    if isinstance(dtype, np.dtype) and dtype.kind == "b" and not is_missing.any():
        return values.astype(np.bool_)
    if pd.api.types.is_numeric_dtype(dtype) and not isinstance(dtype, np.dtype):
        return pd.array(values, dtype=dtype)  # pandas' Int64, Float64 and boolean, with NA
    objects = values.astype(np.object_)
    if kind == "boolean":
        objects[~is_missing] = values[~is_missing].astype(np.bool_)
    objects[is_missing] = missing
    if isinstance(dtype, pd.CategoricalDtype):
        unseen = [v for v in dict.fromkeys(objects[~is_missing]) if v not in dtype.categories]
        return pd.Categorical(objects, categories=[*dtype.categories, *unseen])
    return objects if isinstance(dtype, np.dtype) else pd.array(objects, dtype=dtype)


def _to_integers(
    values: npt.NDArray[Any], dtype: np.dtype[Any], is_missing: npt.NDArray[np.bool_]
) -> npt.NDArray[Any]:
    """Return integers; of the widest type if one does not fit, floats if one is missing."""
    if is_missing.any():
        return values
    limits = np.iinfo(dtype)
    fits = limits.min <= values.min(initial=0) and values.max(initial=0) <= limits.max
    return values.astype(dtype if fits else np.int64)


def _read_objects(name: str, series: pd.Series[Any]) -> Column:
    values: npt.NDArray[Any] = series.to_numpy(dtype=np.object_, copy=True)
    is_missing = series.isna().to_numpy()
    has_none = any(value is None for value in values[is_missing])
    has_nan = any(value is not None for value in values[is_missing])
    types = {type(value) for value in values[~is_missing]}
    if types and all(issubclass(type_, str) for type_ in types):
        values[~is_missing] = [str(value) for value in values[~is_missing]]
        values[is_missing] = None
        return Column("categorical", values, has_none, has_nan)
    values[is_missing] = np.nan
    if types and types <= {bool, np.bool_}:
        return Column("boolean", values.astype(np.float64), has_none, has_nan)
    numbers = (int, float, np.integer, np.floating)
    if types and all(issubclass(t, numbers) and not issubclass(t, bool) for t in types):
        if any(abs(int(v)) > LARGEST_INTEGER for v in values if isinstance(v, (int, np.integer))):
            raise _too_large(name)
        is_integer = all(issubclass(t, (int, np.integer)) for t in types) and not is_missing.any()
        floats = values.astype(np.float64)
        return Column("integer" if is_integer else "numeric", floats, has_none, has_nan)
    raise _not_servable(name, " and ".join(sorted(t.__name__ for t in types)))


def _check_integers(name: str, values: npt.NDArray[np.float64]) -> None:
    if (np.abs(values) >= LARGEST_INTEGER).any():
        raise _too_large(name)


def _too_large(name: str) -> NotServable:
    return NotServable(
        f"Column {name!r} holds whole numbers of 2**53 and beyond, of which float64 does not hold "
        "each: make it text, and fit again."
    )


def _not_servable(name: str, content: str) -> NotServable:
    if not content:
        return NotServable(
            f"Column {name!r} holds no value, so that its type is unknown: fit without it."
        )
    return NotServable(
        f"Column {name!r} holds {content}; features must be numbers, booleans or text: convert "
        "it, or leave it out, and fit again."
    )
