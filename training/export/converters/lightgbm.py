"""LightGBM's classifiers, in float64 as LightGBM computes.

The trees are read from the text format of a booster, which has all digits of its numbers.
Source of the formulas: LightGBM's ``include/LightGBM/tree.h`` and ``src/objective``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.export.converters.category_splits import (
    CategorySplit,
    compare_categories,
    number_categories,
)
from training.export.converters.features import Features, from_tensor, join
from training.export.converters.outputs import Outputs, binary_probabilities, from_probabilities
from training.export.converters.registry import delegates
from training.export.converters.tensor import Tensor, concatenate
from training.export.converters.tree import Tree, sum_of_boosted_trees

# LightGBM regards numbers up to this one, on both sides of zero, as zero.
ZERO_THRESHOLD = float(np.float32(1e-35))

# Bits of a node's decision_type.
_IS_CATEGORICAL = 1
_DEFAULT_LEFT = 2
_MISSING_IS_ZERO = 1
_MISSING_IS_NAN = 2

_BITS = 32  # of each number of a set of categories


class _Booster(NamedTuple):
    header: dict[str, str]
    trees: list[dict[str, str]]


@delegates("lightgbm.sklearn.LGBMClassifier")
def _lightgbm(estimator: Any, X: Features) -> Outputs:
    booster = _parse(estimator.booster_.model_to_string())
    classes = len(estimator.classes_)
    columns = int(booster.header["num_tree_per_iteration"])
    _check(estimator, booster, columns)
    raw = _sum_trees(booster, _encode(estimator, booster, X), columns)
    if "average_output" in booster.header:  # a random forest
        raw = raw / float(len(booster.trees) // columns)
    probabilities = _probabilities(booster.header["objective"], raw)
    if classes == 2:
        probabilities = binary_probabilities(probabilities)
    return from_probabilities(probabilities, raw)


def _check(estimator: Any, booster: _Booster, columns: int) -> None:
    classes = len(estimator.classes_)
    if classes < 2 or columns != (1 if classes == 2 else classes):
        raise NotImplementedError(f"LGBMClassifier with {columns} scores is not supported")
    if any(tree.get("is_linear", "0") != "0" for tree in booster.trees):
        raise NotImplementedError("LGBMClassifier with linear trees is not supported")
    if "objective" not in booster.header:
        raise NotImplementedError("LGBMClassifier with its own objective is not supported")
    if estimator.get_params().get("pred_early_stop"):
        raise NotImplementedError(
            "LGBMClassifier with early stopping of predictions is not supported"
        )


def _probabilities(objective: str, raw: Tensor) -> Tensor:
    name, *settings = objective.split()
    values = dict(setting.partition(":")[::2] for setting in settings)
    if name in ("binary", "multiclassova"):
        return 1.0 / ((raw * -float(values["sigmoid"])).exp() + 1.0)
    if name == "cross_entropy":
        return 1.0 / ((-raw).exp() + 1.0)
    if name == "multiclass":
        return raw.softmax()
    raise NotImplementedError(f"LGBMClassifier with the objective {name} is not supported")


def _parse(text: str) -> _Booster:
    """Split the text format of a booster into the fields of its header and of each tree."""
    header, *trees = text.partition("\nend of trees\n")[0].split("\nTree=")
    return _Booster(_fields(header), [_fields(tree) for tree in trees])


def _fields(text: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in text.splitlines())


def _encode(estimator: Any, booster: _Booster, X: Features) -> Tensor:
    """Return the features as LightGBM sees them: categories of pandas as their indices."""
    categories = estimator.booster_.pandas_categorical
    if categories:
        columns = dict(zip(_category_columns(booster, X, len(categories)), categories, strict=True))
        X = join(
            [
                from_tensor(number_categories(X, index, columns[index]), 1)
                if index in columns
                else X.columns([index])
                for index in range(len(X))
            ]
        )
    numbers = X.numbers()
    return (numbers.abs() <= ZERO_THRESHOLD).where(0.0, numbers)


def _category_columns(booster: _Booster, X: Features, count: int) -> list[int]:
    """Return the columns that pandas had as categories; a booster stores only their values."""
    ranges = booster.header["feature_infos"].split(" ")
    columns = [
        index
        for index, values in enumerate(ranges)
        if X.text(index) is not None or not values.startswith(("[", "none"))
    ]
    if len(columns) != count:
        raise NotImplementedError(
            "LGBMClassifier with categories that are not categorical features is not supported"
        )
    return columns


def _sum_trees(booster: _Booster, X: Tensor, columns: int) -> Tensor:
    width = len(booster.header["feature_infos"].split(" "))
    trees = [_read_tree(fields, width) for fields in booster.trees]
    if any((_missing_types(fields) == _MISSING_IS_ZERO).any() for fields in booster.trees):
        # Behind the features come the same ones with NaN for zero.
        X = concatenate([X, X.equal(0.0).where(np.nan, X)])
        width *= 2
    splits = [
        split
        for index, fields in enumerate(booster.trees)
        for split in _read_category_splits(index, fields)
    ]
    if splits:
        trees, X = compare_categories(trees, splits, X, width)
    return sum_of_boosted_trees(trees, X, columns)


def _read_tree(fields: dict[str, str], width: int) -> Tree:
    """Return a tree whose leaves come after its other nodes."""
    values = _floats(fields["leaf_value"])
    leaves, inner = len(values), len(values) - 1
    threshold, missing_type = _floats(fields.get("threshold", "")), _missing_types(fields)
    default_left = (_integers(fields.get("decision_type", "")) & _DEFAULT_LEFT) != 0
    # Where no value was missing in training, NaN is zero.
    missing_left = np.where(missing_type == 0, threshold >= 0.0, default_left)
    feature = _integers(fields.get("split_feature", ""))
    feature = feature + np.where(missing_type == _MISSING_IS_ZERO, width, 0)
    return Tree(
        np.append(feature, np.zeros(leaves, dtype=np.int64)),
        np.append(threshold, np.zeros(leaves)),
        np.append(_children(fields.get("left_child", ""), inner), np.zeros(leaves, np.int64)),
        np.append(_children(fields.get("right_child", ""), inner), np.zeros(leaves, np.int64)),
        np.append(missing_left, np.zeros(leaves, dtype=bool)).astype(bool),
        np.arange(inner + leaves) >= inner,
        np.append(np.zeros(inner), values).reshape(-1, 1),
    )


def _children(text: str, inner: int) -> npt.NDArray[np.int64]:
    """Return the indices of children; LightGBM's leaf k is -1 - k."""
    children = _integers(text)
    return np.where(children < 0, inner - 1 - children, children)


def _missing_types(fields: dict[str, str]) -> npt.NDArray[np.int64]:
    """Return what each comparison of numbers regards as missing: nothing, zero or NaN."""
    decision_type = _integers(fields.get("decision_type", ""))
    return np.where(decision_type & _IS_CATEGORICAL, _MISSING_IS_NAN, decision_type >> 2 & 3)


def _read_category_splits(index: int, fields: dict[str, str]) -> Iterator[CategorySplit]:
    """Yield the splits by category of a tree: its categories go left, all others right."""
    decision_type = _integers(fields.get("decision_type", ""))
    nodes = np.flatnonzero(decision_type & _IS_CATEGORICAL)
    if not len(nodes):
        return
    feature, sets = _integers(fields["split_feature"]), _floats(fields["threshold"])
    bounds, bits = _integers(fields["cat_boundaries"]), _integers(fields["cat_threshold"])
    for node in nodes:
        number = int(sets[node])
        words = bits[bounds[number] : bounds[number + 1]]
        is_member = words[:, np.newaxis] >> np.arange(_BITS) & 1
        members = np.flatnonzero(is_member)
        yield CategorySplit(index, int(node), int(feature[node]), members, False, True)


def _integers(text: str) -> npt.NDArray[np.int64]:
    return np.array([int(value) for value in text.split()], dtype=np.int64)


def _floats(text: str) -> npt.NDArray[np.float64]:
    return np.array([float(value) for value in text.split()], dtype=np.float64)
