"""Missing values: sklearn.impute."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.impute._iterative import IterativeImputer
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    HuberRegressor,
    Lasso,
    LassoCV,
    LinearRegression,
    Ridge,
    RidgeCV,
    SGDRegressor,
)
from sklearn.svm import LinearSVR
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor

from training.export.converters.features import Features, TextColumn, from_tensor, join
from training.export.converters.kernels import euclidean_distances
from training.export.converters.registry import transform, transforms
from training.export.converters.special_functions import limit
from training.export.converters.tensor import Tensor, concatenate
from training.export.converters.tree import (
    leaf_probabilities,
    read_tree,
    round_to_float32,
    sum_of_trees,
)

_MAX_SAMPLES_AT_ONCE = 1_000  # with more, distances are computed for one sample at a time
_TIE = 1e-9  # distances that differ by less may be equal but for rounding
_LINEAR = (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    HuberRegressor,
    Lasso,
    LassoCV,
    LinearRegression,
    LinearSVR,
    Ridge,
    RidgeCV,
    SGDRegressor,
)
_TREES = (DecisionTreeRegressor, ExtraTreeRegressor)
_FORESTS = (RandomForestRegressor, ExtraTreesRegressor)


@transforms(SimpleImputer)
def _simple_imputer(imputer: SimpleImputer, X: Features) -> Features:
    parts = [X.columns([])]
    numbers: list[int] = []  # filled together, as a node per column is slow to load
    for index, statistic in enumerate(imputer.statistics_):
        if _was_empty(statistic) and not imputer.keep_empty_features:
            continue
        text = X.text(index)
        if text is None:
            numbers.append(index)
            continue
        parts += [_fill_numbers(imputer, X, numbers)]
        parts += [Features(X.graph, [_fill_text(text, imputer, statistic)])]
        numbers = []
    parts += [_fill_numbers(imputer, X, numbers)]
    if imputer.indicator_ is not None:
        parts.append(transform(imputer.indicator_, X))
    return join(parts)


def _fill_numbers(imputer: SimpleImputer, X: Features, indices: list[int]) -> Features:
    if not indices:
        return X.columns([])
    statistics = [imputer.statistics_[index] for index in indices]
    fill = np.array([0.0 if _was_empty(value) else float(value) for value in statistics])
    values = X.columns(indices).numbers()
    missing = _is_missing_number(values, imputer.missing_values)
    return from_tensor(missing.where(fill, values), len(indices))


def _was_empty(statistic: Any) -> bool:
    """Return whether a column had no value when the imputer was fitted."""
    return statistic is None or bool(statistic != statistic)


@transforms(MissingIndicator)
def _missing_indicator(indicator: MissingIndicator, X: Features) -> Features:
    columns = []
    if indicator.error_on_new and indicator.features == "missing-only":
        _reject_new_missing_values(indicator, X)
    for index in indicator.features_:
        text = X.text(int(index))
        if text is not None:
            is_missing = float(_is_missing_text(text, indicator.missing_values))
            known = [v for v in [indicator.missing_values] if isinstance(v, str)]
            rows = [[1.0]] * len(known)
            column = text.look_up(known, np.array([*rows, [0.0], [is_missing]]))
        else:
            values = X.column(int(index))
            column = _is_missing_number(values, indicator.missing_values).cast(np.float64)
        columns.append(from_tensor(column, 1))
    return join([X.columns([]), *columns])


def _reject_new_missing_values(indicator: MissingIndicator, X: Features) -> None:
    """Reject missing values where there were none when fitted; a text that is missing is null."""
    others = sorted(set(range(len(X))) - set(indicator.features_.tolist()))
    numbers = [index for index in others if X.text(index) is None]
    if numbers:
        values = X.columns(numbers).numbers()
        X.graph.reject(_is_missing_number(values, indicator.missing_values))


def _fill_text(text: TextColumn, imputer: SimpleImputer, statistic: Any) -> TextColumn:
    fill = str(statistic)
    if isinstance(imputer.missing_values, str):
        text = text.replace(imputer.missing_values, fill)
    if _is_missing_text(text, imputer.missing_values):
        return text._replace(missing=fill)
    return text


@transforms(KNNImputer)
def _knn_imputer(imputer: KNNImputer, X: Features) -> Features:
    if imputer.metric != "nan_euclidean" or imputer.weights not in ("uniform", "distance", None):
        raise NotImplementedError(
            "KNNImputer with a metric or weights of your own is not supported"
        )
    valid = np.flatnonzero(imputer._valid_mask)
    if not len(valid):
        raise NotImplementedError("KNNImputer of empty columns is not supported")
    values = X.numbers()
    if len(imputer._fit_X) > _MAX_SAMPLES_AT_ONCE:
        found = values.map_rows(lambda row: _find_means(imputer, row, valid), 2 * len(valid))
    else:
        found = _find_means(imputer, values, valid)
    missing = _is_missing_number(values, imputer.missing_values).columns(valid)
    means, is_tie = (found.columns(part) for part in np.split(np.arange(2 * len(valid)), 2))
    X.graph.reject(missing.op("And", is_tie > 0.0))
    columns = from_tensor(missing.where(means, values.columns(valid)), len(valid))
    if imputer.keep_empty_features:
        # Empty columns, which become zero, are one more column behind the others.
        columns = join([columns, from_tensor(X.graph.repeat(np.zeros(1)), 1)])
        order = np.full(len(imputer._valid_mask), len(valid))
        order[valid] = np.arange(len(valid))
        columns = columns.columns(order)
    return _with_indicator(imputer, X, columns)


def _find_means(imputer: KNNImputer, values: Tensor, valid: npt.NDArray[np.int64]) -> Tensor:
    """Return the mean of each valid column of the nearest samples, then whether it is open."""
    reference = np.asarray(imputer._fit_X, dtype=np.float64)
    missing = _is_missing_number(values, imputer.missing_values)
    distances = _nan_euclidean_distances(values, missing, reference, imputer._mask_fit_X)
    means, ties = [], []
    for index in valid:
        donors = ~imputer._mask_fit_X[:, index]
        mean, is_tie = _mean_of_nearest(imputer, distances, reference[:, index], donors)
        means.append(mean)
        ties.append(is_tie.cast(np.float64))
    return concatenate([*means, *ties])


def _nan_euclidean_distances(
    values: Tensor, missing: Tensor, reference: npt.NDArray[Any], mask: npt.NDArray[np.bool_]
) -> Tensor:
    """Return distances by the features that both have, infinite if there are none.

    Computed like `sklearn.metrics.pairwise.nan_euclidean_distances`, so that rounding is similar.
    """
    known, is_missing = missing.where(0.0, values), missing.cast(np.float64)
    points, is_masked = np.where(mask, 0.0, reference), mask.astype(np.float64)
    distances = euclidean_distances(known, points)
    distances = distances - (known * known) @ is_masked.T - is_missing @ (points * points).T
    common = (1.0 - is_missing) @ (1.0 - is_masked).T
    scaled = (distances < 0.0).where(0.0, distances) / (common < 1.0).where(1.0, common)
    return (common < 1.0).where(np.inf, (scaled * float(reference.shape[1])).sqrt())


def _mean_of_nearest(
    imputer: KNNImputer,
    distances: Tensor,
    column: npt.NDArray[np.float64],
    donors: npt.NDArray[np.bool_],
) -> tuple[Tensor, Tensor]:
    """Return the mean of a column of the nearest samples that have it, and whether it is open.

    Which of two equally distant samples is the last of the nearest is NumPy's choice; no operator
    makes the same. Both have shape (samples, 1).
    """
    available = int(donors.sum())
    count = min(imputer.n_neighbors, available)
    farther = min(count + 1, available)
    nearest, index = distances.columns(np.flatnonzero(donors)).top_k(farther)
    last, next_one = nearest.column(count - 1), nearest.column(farther - 1)
    is_tie = (next_one <= last * (1.0 + _TIE) + _TIE).op("And", next_one < np.inf)
    if farther == count:
        is_tie = is_tie.op("And", np.array(False))
    nearest, index = (each.columns(np.arange(count)) for each in (nearest, index))
    is_near = nearest < np.inf
    weights = is_near.cast(np.float64)
    if imputer.weights == "distance":
        same = nearest.equal(0.0).cast(np.float64)
        inverse = is_near.where(1.0 / nearest, 0.0)
        weights = (same.sum() > 0.0).where(same, inverse)
    values = distances.graph.tensor(column[donors]).take(index, axis=0)
    total = weights.sum()
    has_none = total.equal(0.0)
    mean = (values * weights).sum() / has_none.where(1.0, total)
    return has_none.where(float(np.mean(column[donors])), mean), is_tie


@transforms(IterativeImputer)
def _iterative_imputer(imputer: Any, X: Features) -> Features:
    """Convert the rounds of imputation.

    A sample without any value goes through them too, as it does in scikit-learn if another sample
    of the request has one.
    """
    if imputer.sample_posterior:
        raise NotImplementedError("IterativeImputer with sample_posterior is not supported")
    values = X.numbers()
    missing = _is_missing_number(values, imputer.missing_values)
    filled = transform(imputer.initial_imputer_, X).numbers()
    is_empty = _is_empty(imputer)
    if imputer.keep_empty_features:
        missing = missing.op("And", (~is_empty).reshape(1, -1))
    else:
        missing = missing.columns(np.flatnonzero(~is_empty))
    width = len(X) if imputer.keep_empty_features else int((~is_empty).sum())
    for step in imputer.imputation_sequence_ if imputer.n_iter_ else ():
        feature = int(step.feat_idx)
        prediction = _predict_column(step.estimator, filled, step.neighbor_feat_idx, width)
        low, high = (float(ends[feature]) for ends in (imputer._min_value, imputer._max_value))
        is_feature = (np.arange(width) == feature).reshape(1, -1)
        replaced = missing.op("And", is_feature)
        filled = replaced.where(limit(prediction, low, high), filled)
    return _with_indicator(imputer, X, from_tensor(filled, width))


def _is_empty(imputer: Any) -> npt.NDArray[np.bool_]:
    """Return which features had no value when fitted."""
    statistics = np.asarray(imputer.initial_imputer_.statistics_, dtype=np.float64)
    # The attribute is newer than scikit-learn 1.5.
    return np.asarray(getattr(imputer, "_is_empty_feature", np.isnan(statistics)))


def _predict_column(
    estimator: Any, filled: Tensor, neighbors: npt.NDArray[Any], width: int
) -> Tensor:
    """Predict a column from its neighbour columns, shape (samples, 1)."""
    neighbors = np.asarray(neighbors, dtype=np.int64)
    if type(estimator) in _LINEAR:
        weights = np.zeros((width, 1))
        weights[neighbors, 0] = np.ravel(estimator.coef_)
        prediction: Tensor = filled @ weights + float(np.ravel(estimator.intercept_)[0])
        return prediction
    if type(estimator) in _TREES + _FORESTS:
        members = estimator.estimators_ if type(estimator) in _FORESTS else [estimator]
        trees = [read_tree(tree, leaf_probabilities(tree), neighbors) for tree in members]
        return sum_of_trees(trees, round_to_float32(filled)) / float(len(trees))
    name = type(estimator).__name__
    raise NotImplementedError(f"IterativeImputer with {name} is not supported")


def _with_indicator(imputer: Any, X: Features, imputed: Features) -> Features:
    if imputer.indicator_ is None:
        return imputed
    return join([imputed, transform(imputer.indicator_, X)])


def _is_missing_text(column: TextColumn, missing_values: Any) -> bool:
    """Return whether an imputer for `missing_values` regards a missing text as such."""
    if isinstance(column.missing, str):
        return bool(column.missing == missing_values)
    if column.missing is None:
        return missing_values is None
    if missing_values is pd.NA:
        return True
    return isinstance(missing_values, float) and np.isnan(missing_values)


def _is_missing_number(column: Tensor, missing_values: Any) -> Tensor:
    if missing_values is None or missing_values is pd.NA or missing_values != missing_values:
        return column.is_nan()
    return column.equal(float(missing_values))
