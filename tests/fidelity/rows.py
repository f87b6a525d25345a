"""Rows made to differ from the training data, other than those that the export compares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

SEED = 20_261  # not that of the export
TRAINING_ROWS = 60  # the first rows are rows of the training data
_MISSING = 0.2  # the share of missing values
_UNHEARD_TEXTS = [
    "", " ", "nan", "None", "Paris ", "PARIS", "Zu\u0308rich", "İ", "ß", "ﬁne", "a_b", "x\ty\nz",
    "café  dry", "Oak, oak; OAK!", "٣٤", "🍷 sweet", "it's light—sour", "é" * 300, "\u0000",
]  # fmt: skip

Column = npt.NDArray[np.object_]


def changed_rows(X: Any) -> Any:
    """Return rows in the form of `X`: the first `TRAINING_ROWS` are rows of `X` as they are.

    The others are rounded, halfway between two rows, random, outside the range, with missing
    values, and with unseen or respelt text.
    """
    random = np.random.default_rng(SEED)
    columns = _columns(X)
    count = len(columns[0])
    first, second = random.integers(0, count, size=(2, 40))

    parts = [_take(columns, random.permutation(count)[:TRAINING_ROWS])]
    known = _take(columns, first)
    parts.append([_rounded(column) for column in known])
    halves = zip(known, _take(columns, second), strict=True)
    parts.append([_halfway(a, b) for a, b in halves])
    parts.append([_random(random, column, 40, beyond=0.0) for column in columns])
    parts.append([_random(random, column, 20, beyond=0.5) for column in columns])
    parts.append([_with_gaps(random, column) for column in known])
    parts.append([_respelt(random, column) for column in known])
    merged = [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
    return _restore(X, merged)


def to_json(X: Any, features: list[str]) -> list[Any]:
    """Return rows as JSON values: lists for a matrix, objects for a frame.

    `features` are those of the model: columns that the estimator drops may not be among them.
    """
    rows = [[_to_json(value) for value in row] for row in zip(*_columns(X), strict=True)]
    is_frame = isinstance(X, pd.DataFrame)
    names = [*map(str, X.columns)] if is_frame else [f"x{index}" for index in range(X.shape[1])]
    if names == features and not is_frame:
        return rows
    kept = [(names.index(name), name) for name in features]
    return [{name: row[index] for index, name in kept} for row in rows]


def take(X: Any, indices: list[int]) -> Any:
    """Return some rows."""
    return X.iloc[indices] if isinstance(X, pd.DataFrame) else X[indices]


def _to_json(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _columns(X: Any) -> list[Column]:
    if isinstance(X, pd.DataFrame):
        return [X.iloc[:, index].to_numpy(dtype=np.object_) for index in range(X.shape[1])]
    return list(np.asarray(X).astype(np.object_).T)


def _take(columns: list[Column], rows: npt.NDArray[np.intp]) -> list[Column]:
    return [column[rows] for column in columns]


def _present(column: Column) -> list[Any]:
    return [value for value in column if not pd.isna(value)]


def _kind(column: Column) -> type:
    """Return the type of a column's values: str, bool, int or float."""
    types = {type(value) for value in _present(column)}
    for kind, members in ((str, (str,)), (bool, (bool, np.bool_)), (int, (int, np.int64))):
        if types and types <= set(members):
            return kind
    return float


def _objects(values: list[Any]) -> Column:
    column = np.empty(len(values), dtype=np.object_)
    column[:] = values
    return column


def _rounded(column: Column) -> Column:
    if _kind(column) is not float:
        return column
    digits = [index % 2 for index in range(len(column))]
    values = [v if pd.isna(v) else round(v, d) for v, d in zip(column, digits, strict=True)]
    return _objects(values)


def _halfway(first: Column, second: Column) -> Column:
    if _kind(first) not in (int, float):
        return first
    is_integer = _kind(first) is int
    values = []
    for a, b in zip(first, second, strict=True):
        if pd.isna(a) or pd.isna(b):
            values.append(a)
        else:
            values.append((a + b) // 2 if is_integer else (a + b) / 2)
    return _objects(values)


def _random(random: np.random.Generator, column: Column, count: int, beyond: float) -> Column:
    present, kind = _present(column), _kind(column)
    if kind in (str, bool):
        return _objects([present[index] for index in random.integers(0, len(present), count)])
    low, high = float(min(present)), float(max(present))
    margin = beyond * (high - low)
    values = random.uniform(low - margin, high + margin, count)
    return _objects([int(v) for v in values] if kind is int else values.tolist())


def _with_gaps(random: np.random.Generator, column: Column) -> Column:
    gap = _gap(column)
    missing = random.random(len(column)) < _MISSING
    return _objects([gap if m else v for v, m in zip(column, missing, strict=True)])


def _gap(column: Column) -> Any:
    """Return what a missing value is in a column: None, NaN or NA, as it has them."""
    gaps = [value for value in column if pd.isna(value)]
    return gaps[0] if gaps else np.nan


def _respelt(random: np.random.Generator, column: Column) -> Column:
    if _kind(column) is not str:
        return column
    changes = (str.upper, str.lower, str.swapcase, lambda t: f" {t} ", lambda t: t[::-1])
    values = []
    for value in column:
        if random.random() < 0.4:
            values.append(_UNHEARD_TEXTS[random.integers(len(_UNHEARD_TEXTS))])
        elif pd.isna(value):
            values.append(value)
        else:
            values.append(changes[random.integers(len(changes))](value))
    return _objects(values)


def _restore(X: Any, columns: list[Column]) -> Any:
    if not isinstance(X, pd.DataFrame):
        return np.array(columns, dtype=np.float64).T
    restored = {
        name: _restore_column(column, X[name].dtype, _gap(_columns(X[[name]])[0]))
        for name, column in zip(X.columns, columns, strict=True)
    }
    return pd.DataFrame(restored)


def _restore_column(column: Column, dtype: Any, gap: Any) -> pd.Series[Any]:
    """Return a column as scikit-learn would see it in data like the training data."""
    missing = np.array([pd.isna(value) for value in column])
    if isinstance(dtype, pd.CategoricalDtype):
        unseen = dict.fromkeys(v for v in column if not pd.isna(v) and v not in dtype.categories)
        return pd.Series(pd.Categorical(column, categories=[*dtype.categories, *unseen]))
    if pd.api.types.is_extension_array_dtype(dtype):
        return _series(column, dtype)
    if missing.any() and dtype.kind in "iu":
        return pd.Series(np.where(missing, np.nan, column).astype(np.float64))
    if dtype.kind == "O" or (missing.any() and dtype.kind == "b"):
        # Without a dtype pandas infers text, and turns None into NaN.
        column = _objects([gap if m else v for v, m in zip(column, missing, strict=True)])
        return pd.Series(column, dtype=np.object_)
    restored: pd.Series[Any] = _series(column).astype(dtype)
    return restored


def _series(column: Column, dtype: Any = None) -> pd.Series[Any]:
    series: pd.Series[Any] = pd.Series(column, dtype=dtype)
    return series
