"""Categories as numbers: the encoders of sklearn.preprocessing.

An encoder treats each column alone, and any two unknown values alike. So its output is a table with
a row per category, one for an unknown and one for a missing value, and the table is what the fitted
encoder itself returns for them: every parameter is supported, exactly.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from training.data.signature import UNSEEN_CATEGORY
from training.export.converters.features import Features, from_tensor
from training.export.converters.registry import transforms
from training.export.converters.tensor import Tensor, concatenate


@transforms(OneHotEncoder)
def _one_hot(encoder: OneHotEncoder, X: Features) -> Features:
    return _encode(encoder, X, encoder._n_features_outs)


@transforms(OrdinalEncoder)
def _ordinal(encoder: OrdinalEncoder, X: Features) -> Features:
    return _encode(encoder, X, [1] * len(X))


@transforms(TargetEncoder)
def _target(encoder: TargetEncoder, X: Features) -> Features:
    width = len(encoder.classes_) if encoder.target_type_ == "multiclass" else 1
    return _encode(encoder, X, [width] * len(X))


def _encode(encoder: Any, X: Features, widths: Sequence[int]) -> Features:
    """Encode each column; the width is the number of columns that the encoder makes of it."""
    ends = np.cumsum(widths)
    blocks = [
        _encode_column(encoder, X, index, slice(int(end) - width, int(end)))
        for index, (width, end) in enumerate(zip(widths, ends, strict=True))
        if width
    ]
    if not blocks:
        return X.columns([])
    return from_tensor(concatenate(blocks), int(sum(widths)))


def _encode_column(encoder: Any, X: Features, index: int, output: slice) -> Tensor:
    categories = [value for value in encoder.categories_[index].tolist() if not _is_missing(value)]
    text = X.text(index)
    if text is None:
        unknown: Any = max([float(value) for value in categories], default=0.0) + 1.0
        missing: Any = np.nan
    else:
        unknown, missing = UNSEEN_CATEGORY, text.missing
    table = np.vstack(
        [
            _call(encoder, index, categories, output),
            _call(encoder, index, [unknown], output),
            _call(encoder, index, [missing], output),
        ]
    )
    if text is not None:
        return text.look_up([str(value) for value in categories], table)
    return _look_up_numbers(X.column(index), [float(value) for value in categories], table)


def _call(
    encoder: Any, index: int, values: Sequence[Any], output: slice
) -> npt.NDArray[np.float64]:
    """Return what the encoder makes of values of one column; NaN if it rejects them."""
    first = [categories[0] if len(categories) else 0 for categories in encoder.categories_]
    X = np.empty((len(values), len(first)), dtype=np.object_)
    X[:] = np.array(first, dtype=np.object_)
    X[:, index] = values
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            encoded = encoder.transform(X)
    except ValueError:
        return np.full((len(values), output.stop - output.start), np.nan)
    dense = encoded.toarray() if hasattr(encoded, "toarray") else np.asarray(encoded)
    rows: npt.NDArray[np.float64] = dense[:, output].astype(np.float64)
    return rows


def _look_up_numbers(
    column: Tensor, categories: Sequence[float], table: npt.NDArray[np.float64]
) -> Tensor:
    """Return the table's row for each number: of its category, of an unknown one, or of NaN."""
    count = len(categories)
    matches = column.equal(np.array(categories).reshape(1, -1)).cast(np.float64)
    is_known = matches.sum()
    other = column.is_nan().cast(np.float64) + float(count)
    code = matches @ np.arange(count, dtype=np.float64).reshape(-1, 1) + (1.0 - is_known) * other
    return column.graph.tensor(table).take(code.cast(np.int64).reshape(-1), axis=0)


def _is_missing(value: Any) -> bool:
    return value is None or bool(value != value)
