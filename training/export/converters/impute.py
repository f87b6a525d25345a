"""Missing values: sklearn.impute."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.impute import MissingIndicator, SimpleImputer

from training.export.converters.features import Features, TextColumn, from_tensor, join
from training.export.converters.registry import transform, transforms
from training.export.converters.tensor import Tensor


@transforms(SimpleImputer)
def _simple_imputer(imputer: SimpleImputer, X: Features) -> Features:
    columns = []
    for index, statistic in enumerate(imputer.statistics_):
        is_empty = statistic is None or bool(statistic != statistic)  # no value when fitted
        if is_empty and not imputer.keep_empty_features:
            continue
        text = X.text(index)
        if text is not None:
            fill = str(statistic)
            replaced = fill if _is_missing_text(text, imputer.missing_values) else text.missing
            columns.append(Features(X.graph, [text._replace(missing=replaced)]))
        else:
            column = X.column(index)
            fill_value = 0.0 if is_empty else float(statistic)
            missing = _is_missing_number(column, imputer.missing_values)
            columns.append(from_tensor(missing.where(fill_value, column), 1))
    if imputer.indicator_ is not None:
        columns.append(transform(imputer.indicator_, X))
    return join([X.columns([]), *columns])


@transforms(MissingIndicator)
def _missing_indicator(indicator: MissingIndicator, X: Features) -> Features:
    columns = []
    for index in indicator.features_:
        text = X.text(int(index))
        if text is not None:
            is_missing = float(_is_missing_text(text, indicator.missing_values))
            column = text.look_up([], np.array([[0.0], [is_missing]]))
        else:
            values = X.column(int(index))
            column = _is_missing_number(values, indicator.missing_values).cast(np.float64)
        columns.append(from_tensor(column, 1))
    return join([X.columns([]), *columns])


def _is_missing_text(column: TextColumn, missing_values: Any) -> bool:
    """Return whether an imputer for `missing_values` regards a missing text as such."""
    if isinstance(column.missing, str):
        return bool(column.missing == missing_values)
    if column.missing is None:
        return missing_values is None
    return isinstance(missing_values, float) and np.isnan(missing_values)


def _is_missing_number(column: Tensor, missing_values: Any) -> Tensor:
    if missing_values is None or missing_values != missing_values:
        return column.is_nan()
    return column.equal(float(missing_values))
