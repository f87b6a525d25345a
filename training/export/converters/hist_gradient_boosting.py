"""Histogram boosting: HistGradientBoostingClassifier of sklearn.ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from training.export.converters.category_splits import CategorySplit, compare_categories
from training.export.converters.features import Features, join
from training.export.converters.outputs import Outputs, binary_probabilities, from_scores
from training.export.converters.registry import delegates, transform
from training.export.converters.tree import Tree, sum_of_boosted_trees


@delegates(HistGradientBoostingClassifier)
def _hist_gradient_boosting(estimator: HistGradientBoostingClassifier, X: Features) -> Outputs:
    predictors = [predictor for iteration in estimator._predictors for predictor in iteration]
    trees = [_read_tree(predictor.nodes) for predictor in predictors]
    splits = [
        split
        for index, predictor in enumerate(predictors)
        for split in _read_category_splits(estimator, index, predictor)
    ]
    columns = _preprocess(estimator, X).numbers()
    if splits:
        trees, columns = compare_categories(trees, splits, columns, estimator.n_features_in_)
    start = np.asarray(estimator._baseline_prediction).reshape(-1)
    raw = sum_of_boosted_trees(trees, columns, len(start), start)
    classes = len(estimator.classes_)
    probabilities = binary_probabilities(raw.sigmoid()) if classes == 2 else raw.softmax()
    return from_scores(raw, classes, probabilities)


def _preprocess(estimator: HistGradientBoostingClassifier, X: Features) -> Features:
    """Return the codes of the categorical features, then the other features."""
    if estimator._preprocessor is None:
        return X
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    is_categorical = estimator.is_categorical_
    categories = transform(encoder, X.columns(np.flatnonzero(is_categorical)))
    return join([categories, X.columns(np.flatnonzero(~is_categorical))])


def _read_tree(nodes: npt.NDArray[Any]) -> Tree:
    return Tree(
        nodes["feature_idx"].astype(np.int64),
        nodes["num_threshold"],
        nodes["left"].astype(np.int64),
        nodes["right"].astype(np.int64),
        nodes["missing_go_to_left"].astype(bool),
        nodes["is_leaf"].astype(bool),
        nodes["value"].reshape(-1, 1),
    )


def _read_category_splits(
    estimator: HistGradientBoostingClassifier, index: int, predictor: Any
) -> list[CategorySplit]:
    """Return the splits by category of a tree; unknown categories go where missing ones do."""
    nodes, splits = predictor.nodes, []
    for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & (nodes["is_leaf"] == 0)):
        feature = int(nodes["feature_idx"][node])
        known = np.asarray(estimator._bin_mapper.bin_thresholds_[feature]).astype(np.int64)
        bits = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]]
        goes_left = (bits[known // 32] >> (known % 32).astype(np.uint32)) & 1 == 1
        missing_goes_right = not nodes["missing_go_to_left"][node]
        members = known[goes_left if missing_goes_right else ~goes_left]
        splits.append(
            CategorySplit(
                index, int(node), feature, members, not missing_goes_right, missing_goes_right
            )
        )
    return splits
