"""Arrange a user's data as the estimator was fitted on it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer

from training.data.parts import find_estimators
from training.data.table import Table
from training.errors import NotServable

LOG = logging.getLogger(__name__)

TEXT_FEATURE = "text"  # the name of the feature of an estimator that takes a sequence of texts
_TRIED_ROWS = 100
_LISTED_NAMES = 5


def make_table(estimator: Any, X: Any, feature_names: Any = None) -> Table:
    """Return the columns that a fitted estimator uses, in the order in which it was fitted.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like, pandas.DataFrame or sequence of str
        Shape (samples, features), or (samples,) of an estimator that takes a sequence of texts.
        Columns of a frame may be in any order; those that the estimator was not fitted on are
        left out, and those that it drops may be missing.
    feature_names : sequence of str, optional
        Names of the columns of `X`, or of the columns that the estimator uses.

    Raises
    ------
    NotServable
        If `X` does not fit the estimator.
    """
    name, fitted = type(estimator).__name__, getattr(estimator, "feature_names_in_", None)
    expected = getattr(estimator, "n_features_in_", None)
    if not isinstance(X, pd.DataFrame) and not hasattr(X, "toarray"):
        X = _to_array(X)
        if X.ndim == 1 and len(X) and all(isinstance(value, str) for value in X):
            texts = X.astype(np.object_).reshape(-1, 1)
            names = [TEXT_FEATURE] if feature_names is None else feature_names
            return Table(texts, names, is_text_sequence=expected is None)
        if X.ndim == 1 and any(isinstance(value, str) for value in X):
            raise NotServable("X holds texts and other values: replace missing texts by ''.")
        if X.ndim == 1 and expected == 1:
            X = X.reshape(-1, 1)
        if fitted is not None and X.ndim == 2 and X.shape[1] == len(fitted):
            X = pd.DataFrame(X, columns=fitted).infer_objects()
    if isinstance(X, pd.DataFrame) and fitted is not None:
        return _arrange(estimator, X, list(fitted), feature_names)
    table = Table(X, feature_names)
    if expected is None and table.kinds == ["categorical"] and _takes_texts(estimator, table):
        return Table(X, feature_names, is_text_sequence=True)
    if expected not in (None, len(table.names)):
        raise NotServable(
            f"X has {len(table.names)} features; {name} was fitted on {expected}: pass the columns "
            "that it was fitted on."
        )
    return table


def find_column_transformers(estimator: Any) -> Iterator[ColumnTransformer]:
    """Yield every fitted `ColumnTransformer` in an estimator, at any depth."""
    for part in find_estimators(estimator):
        if isinstance(part, ColumnTransformer) and hasattr(part, "transformers_"):
            yield part


def _to_array(X: Any) -> Any:
    try:
        array = np.asarray(X)
        if array.dtype.kind == "U" and not hasattr(X, "dtype"):
            return np.asarray(X, dtype=np.object_)  # lists of texts and numbers
    except ValueError as error:
        raise NotServable("The samples of X have different lengths.") from error
    return array


def _takes_texts(estimator: Any, table: Table) -> bool:
    """Return whether an estimator takes a sequence of texts."""
    texts = [text or "" for text in table.column(0)[:2]] * 2
    try:
        return len(estimator.predict(np.array(texts, dtype=np.object_))) == len(texts)
    except Exception:  # an estimator may raise anything
        return False


def _arrange(estimator: Any, X: pd.DataFrame, fitted: list[Any], feature_names: Any) -> Table:
    """Select the used columns of a frame, by name, with the names that the user gave them."""
    if not X.columns.is_unique:
        duplicate = X.columns[X.columns.duplicated()][0]
        raise NotServable(f"X has more than one column named {str(duplicate)!r}: rename one.")
    columns = set(X.columns)
    unused = _unused_columns(estimator, X, fitted)
    missing = [str(name) for name in fitted if name not in columns and name not in unused]
    if missing:
        listed = ", ".join(missing[:_LISTED_NAMES]) + (", ..." * (len(missing) > _LISTED_NAMES))
        raise NotServable(
            f"X has no column for {len(missing)} of the {len(fitted)} features that "
            f"{type(estimator).__name__} was fitted on: {listed}."
        )
    used = [name for name in fitted if name not in unused]
    ignored = [str(column) for column in X.columns if column not in set(used)]
    if ignored:
        LOG.info("not used by the estimator: %s", ", ".join(ignored))
    names = feature_names
    if names is not None and not isinstance(names, str) and len(names) == X.shape[1]:
        renamed = dict(zip(X.columns, names, strict=True))
        names = [renamed[column] for column in used]
    indices = tuple(index for index, name in enumerate(fitted) if name in unused)
    return Table(X[used], names, unused_columns=indices)


def _unused_columns(estimator: Any, X: pd.DataFrame, fitted: list[Any]) -> set[Any]:
    """Return the columns that an estimator drops: it predicts the same without them."""
    used: set[Any] = set()
    for transformer in find_column_transformers(estimator):
        if list(getattr(transformer, "feature_names_in_", ())) == fitted:
            for name, fitted_transformer, _ in transformer.transformers_:
                if not (isinstance(fitted_transformer, str) and fitted_transformer == "drop"):
                    indices = transformer._transformer_to_input_indices[name]
                    used.update(fitted[index] for index in indices)
    unused = set(fitted) - used
    present = [name for name in fitted if name in X.columns]
    kept = [name for name in present if name in used]
    if not used or not unused or not kept:
        return set()
    rows = X.iloc[:_TRIED_ROWS]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            without = estimator.predict(rows[kept])
            if len(present) < len(fitted):
                return unused
            same = np.array_equal(without, estimator.predict(rows[present]))
    except Exception:  # an estimator may raise anything
        return set()
    return unused if same else set()
