"""XGBoost's classifiers, in float32 as XGBoost computes.

Exponentials are computed in float64 and rounded, which is what the C library's `expf` returns.
Source of the formulas: XGBoost's ``src/predictor``, ``src/gbm`` and ``src/common/math.h``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from training.export.converters.category_splits import (
    CategorySplit,
    compare_categories,
    number_categories,
)
from training.export.converters.features import Features, from_tensor, join
from training.export.converters.outputs import Outputs, from_probabilities, second_if_above
from training.export.converters.registry import delegates
from training.export.converters.tensor import Tensor, concatenate
from training.export.converters.tree import Tree, round_to_float32, sum_of_boosted_trees

_LARGEST_EXPONENT = np.float32(88.7)  # of the logistic function, against overflow


@delegates("xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRFClassifier")
def _xgboost(estimator: Any, X: Features) -> Outputs:
    learner = json.loads(estimator.get_booster().save_raw("json"))["learner"]
    objective, booster = learner["objective"]["name"], learner["gradient_booster"]
    if booster["name"] == "gblinear":
        margins = _linear_margins(learner, _encode(estimator, learner, X))
    else:
        margins = _tree_margins(estimator, learner, _encode(estimator, learner, X))
    if objective == "multi:softprob":
        return from_probabilities(_softmax(margins).cast(np.float64))
    if objective == "binary:logistic" and len(estimator.classes_) == 2:
        second = _logistic(margins)
        probabilities = (np.float32(1.0) - second).op("Concat", second, axis=1)
        second = second.cast(np.float64)
        return Outputs(second_if_above(second, 0.5), probabilities.cast(np.float64))
    raise NotImplementedError(f"XGBClassifier with the objective {objective} is not supported")


def _logistic(margins: Tensor) -> Tensor:
    exponent = (-margins).op("Min", _LARGEST_EXPONENT)
    return np.float32(1.0) / (_exp(exponent) + np.float32(1.0))


def _softmax(margins: Tensor) -> Tensor:
    shifted = margins - margins.op("ReduceMax", np.array([1]), keepdims=1)
    exponentials = _exp(shifted)
    total = exponentials.cast(np.float64).sum_in_order(axis=1).reshape(-1, 1)
    return exponentials / total.cast(np.float32)


def _exp(exponent: Tensor) -> Tensor:
    return exponent.cast(np.float64).exp().cast(np.float32)


def _base_margins(learner: dict[str, Any]) -> npt.NDArray[np.float32]:
    """Return the margins before any tree, one for each class or one for two classes."""
    text = learner["learner_model_param"]["base_score"]
    scores = np.array(text.strip("[]").split(","), dtype=np.float64).astype(np.float32)
    if learner["objective"]["name"] == "binary:logistic":
        one = np.float32(1.0)
        scores = -np.log((one / scores - one).astype(np.float64)).astype(np.float32)
    classes = max(1, int(learner["learner_model_param"]["num_class"]))
    return np.repeat(scores, classes) if len(scores) == 1 else scores


def _encode(estimator: Any, learner: dict[str, Any], X: Features) -> Tensor:
    """Return the features as XGBoost sees them: float32, and categories as their indices."""
    if X.is_sparse is None:
        raise NotImplementedError(
            "XGBClassifier after a transformer that may store zeros in a sparse matrix is not "
            "supported"
        )
    types = learner["feature_types"] or ["float"] * len(X)
    model = _model(learner["gradient_booster"])
    stored = model.get("cats", {}).get("enc") or []
    if "c" in types and "cats" not in model:
        raise NotImplementedError("categories of XGBoost before 3.1 are not supported")
    missing = float(np.float32(estimator.missing))
    if set(types) == {"float"}:  # together, as a node per column is slow to load
        return _mark_missing(X.numbers(), missing, is_sparse=X.is_sparse)
    columns = []
    for index, feature_type in enumerate(types):
        categories = _read_categories(stored[index]) if stored else []
        if categories:
            column = number_categories(X, index, categories)
        else:
            column = _mark_missing(X.column(index), missing, is_sparse=X.is_sparse)
            if feature_type == "c":  # a negative number is no category
                column = (column < 0.0).where(-1.0, column)
        columns.append(from_tensor(column, 1))
    return join(columns).numbers()


def _mark_missing(numbers: Tensor, missing: float, *, is_sparse: bool) -> Tensor:
    """Round numbers to float32, and replace those that are missing to XGBoost with NaN."""
    rounded = round_to_float32(numbers)
    if missing == missing:
        rounded = rounded.equal(missing).where(np.nan, rounded)
    if is_sparse:  # a matrix does not store what is zero before rounding
        rounded = numbers.equal(0.0).where(np.nan, rounded)
    return rounded


def _model(booster: dict[str, Any]) -> dict[str, Any]:
    """Return the trees or weights; before XGBoost 3.4 those of DART are nested."""
    model: dict[str, Any] = booster.get("gbtree", booster)["model"]
    return model


def _read_categories(stored: dict[str, Any]) -> list[Any]:
    """Return the categories of a feature: numbers, or texts stored in one array of bytes."""
    if "offsets" not in stored:
        return list(stored["values"])
    offsets, data = stored["offsets"], bytes(value % 256 for value in stored["values"])
    return [data[start:end].decode() for start, end in pairwise(offsets)]


def _tree_margins(estimator: Any, learner: dict[str, Any], X: Tensor) -> Tensor:
    booster = learner["gradient_booster"]
    start = _base_margins(learner)
    model = _model(booster)
    weights = model.get("weight_drop") or booster.get("weight_drop")
    trees: list[Tree] = []
    splits: list[CategorySplit] = []
    for position, index in enumerate(_tree_indices(estimator, model, len(start))):
        stored = model["trees"][index]
        if stored["tree_param"]["size_leaf_vector"] not in ("0", "1"):
            raise NotImplementedError(
                "XGBClassifier with several outputs in a tree is not supported"
            )
        tree = _read_tree(stored)
        if weights:  # of trees that were fitted with dropout
            # XGBoost before 3.4 adds the base to the leaf and takes it away again.
            base = start[model["tree_info"][index]] if "gbtree" in booster else np.float32(0.0)
            values = ((base + tree.values) - base) * np.float32(weights[index])
            tree = tree._replace(values=values)
        trees.append(tree)
        splits.extend(_read_category_splits(position, stored))
    if splits:
        trees, X = compare_categories(trees, splits, X, estimator.n_features_in_)
    return sum_of_boosted_trees(trees, X, len(start), start, np.float32)


def _tree_indices(estimator: Any, model: dict[str, Any], groups: int) -> list[int]:
    """Return the trees that predict: one for each group in turn, in each group's own order."""
    try:
        iterations = estimator.best_iteration + 1
    except AttributeError:  # without early stopping
        iterations = len(model["iteration_indptr"]) - 1
    count = model["iteration_indptr"][iterations]
    group_of = np.array(model["tree_info"][:count])
    by_group = [np.flatnonzero(group_of == group) for group in range(groups)]
    return [int(index) for index in np.column_stack(by_group).ravel()]


def _read_tree(stored: dict[str, Any]) -> Tree:
    left, right = np.array(stored["left_children"]), np.array(stored["right_children"])
    conditions = np.array(stored["split_conditions"], dtype=np.float32)
    is_leaf = left == -1
    # Of float32, those below a number are those up to the one before it.
    below = np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64)
    return Tree(
        np.array(stored["split_indices"]),
        below,
        left,
        right,
        np.array(stored["default_left"]).astype(bool),
        is_leaf,
        conditions.reshape(-1, 1),
    )


def _read_category_splits(index: int, stored: dict[str, Any]) -> Iterator[CategorySplit]:
    """Yield the splits by category of a tree: its categories go right, all others left."""
    categories = np.array(stored["categories"], dtype=np.int64)
    sets: Sequence[list[int]] = [
        stored["categories_nodes"],
        stored["categories_segments"],
        stored["categories_sizes"],
    ]
    for node, start, size in zip(*sets, strict=True):
        members = categories[start : start + size]
        missing_goes_right = not stored["default_left"][node]
        feature = stored["split_indices"][node]
        yield CategorySplit(index, node, feature, members, True, missing_goes_right)


def _linear_margins(learner: dict[str, Any], X: Tensor) -> Tensor:
    """Return the bias and the products of a linear booster, added feature by feature."""
    stored = learner["gradient_booster"]["model"]["weights"]
    start = _base_margins(learner)
    weights = np.array(stored, dtype=np.float32).reshape(-1, len(start))
    numbers = X.is_nan().where(0.0, X).cast(np.float32)
    bias = weights[-1] + start[0]  # for every class that of the first, as XGBoost does
    columns = []
    for group in range(len(start)):
        first = X.graph.repeat(bias[group : group + 1])
        terms = first.op("Concat", numbers * weights[:-1, group].reshape(1, -1), axis=1)
        columns.append(terms.sum_in_order(axis=1).reshape(-1, 1))
    return concatenate(columns)
