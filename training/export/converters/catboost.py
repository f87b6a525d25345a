"""CatBoost's classifiers: float32 features and borders, and leaves that are added in float64.

The trees are read from CatBoost's JSON format. Those of the default are oblivious: all nodes of a
level compare the same, so the results of the comparisons are the bits of a leaf's index.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.export.converters.features import Features
from training.export.converters.outputs import Outputs, binary_probabilities, second_if_above
from training.export.converters.registry import delegates
from training.export.converters.tensor import Tensor
from training.export.converters.tree import Tree, round_to_float32, sum_of_trees


@delegates("catboost.core.CatBoostClassifier")
def _catboost(estimator: Any, X: Features) -> Outputs:
    _check(estimator)
    model = _read_model(estimator)
    features = model["features_info"].get("float_features", [])
    columns = [feature["flat_feature_index"] for feature in features]
    numbers = round_to_float32(X.columns(columns).numbers())
    is_high = np.array([feature["nan_value_treatment"] == "AsTrue" for feature in features])
    if is_high.any():  # NaN is above every border
        numbers = numbers.is_nan().op("And", is_high.reshape(1, -1)).where(np.inf, numbers)
    scale, bias = model["scale_and_bias"]
    if "oblivious_trees" in model:
        total = _sum_oblivious_trees(model["oblivious_trees"], numbers, len(bias))
    else:
        total = sum_of_trees([_read_tree(tree) for tree in model["trees"]], numbers)
    return _outputs(estimator, total * float(scale) + np.array(bias, dtype=np.float64))


def _check(estimator: Any) -> None:
    if len(estimator.classes_) < 2:
        raise NotImplementedError("CatBoostClassifier with one class is not supported")
    if estimator.get_probability_threshold() not in (None, 0.5):
        raise NotImplementedError(
            "CatBoostClassifier with a probability threshold is not supported"
        )


def _read_model(estimator: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.json")
        estimator.save_model(str(path), format="json")
        model: dict[str, Any] = json.loads(path.read_text())
    return model


def _outputs(estimator: Any, raw: Tensor) -> Outputs:
    loss = estimator.get_all_params().get("loss_function")
    if loss in ("Logloss", "CrossEntropy"):
        probability = 1.0 / ((-raw).exp() + 1.0)
        return Outputs(second_if_above(raw, 0.0), binary_probabilities(probability))
    if loss == "MultiClass":
        return Outputs(raw.argmax(), raw.softmax())
    if loss == "MultiClassOneVsAll":
        return Outputs(raw.argmax(), 1.0 / ((-raw).exp() + 1.0))
    raise NotImplementedError(f"CatBoostClassifier with the loss function {loss} is not supported")


def _sum_oblivious_trees(trees: list[dict[str, Any]], X: Tensor, width: int) -> Tensor:
    """Add the leaves' values, shape (samples, width)."""
    splits = [[_read_split(split) for split in tree["splits"] or []] for tree in trees]
    depth = max(1, *(len(of_tree) for of_tree in splits))
    # Shorter trees get comparisons that are never true.
    padded = [of_tree + [(0, np.inf)] * (depth - len(of_tree)) for of_tree in splits]
    features = np.array([[feature for feature, _ in of_tree] for of_tree in padded])
    borders = np.array([[border for _, border in of_tree] for of_tree in padded])
    is_above = X.columns(features.ravel()) > borders.reshape(1, -1)
    bits = is_above.cast(np.int64).reshape(0, len(trees), depth)
    leaves = (bits * 2 ** np.arange(depth)).op("ReduceSum", np.array([2]), keepdims=0)
    values = [np.reshape(tree["leaf_values"], (-1, width)) for tree in trees]
    first_leaf = np.cumsum([0, *(len(of_tree) for of_tree in values[:-1])])
    table = X.graph.tensor(np.vstack(values).astype(np.float64))
    return table.take(leaves + first_leaf, axis=0).sum_in_order(axis=1)


def _read_split(split: dict[str, Any]) -> tuple[int, float]:
    """Return the feature and the border, above which a value is in the second half."""
    if split["split_type"] != "FloatFeature":
        raise NotImplementedError(
            "CatBoostClassifier with features other than numbers is not supported"
        )
    return int(split["float_feature_index"]), float(np.float32(split["border"]))


def _read_tree(root: dict[str, Any]) -> Tree:
    """Return a tree that is not oblivious, whose nodes are nested."""
    nodes: list[dict[str, Any]] = [root]
    children: list[tuple[int, int]] = []
    for node in nodes:  # which grows
        if "split" in node:
            children.append((len(nodes), len(nodes) + 1))
            nodes += [node["left"], node["right"]]
        else:
            children.append((-1, -1))
    splits = [_read_split(node["split"]) if "split" in node else (0, 0.0) for node in nodes]
    feature, border = np.array(splits, dtype=np.float64).T
    left, right = np.array(children).T
    return Tree(
        feature.astype(np.int64),
        border,
        left,
        right,
        np.ones(len(nodes), dtype=bool),  # NaN is above no border
        left == -1,
        _leaf_values(nodes),
    )


def _leaf_values(nodes: list[dict[str, Any]]) -> npt.NDArray[np.float64]:
    width = max(np.size(node["value"]) for node in nodes if "value" in node)
    values = [np.ravel(node["value"]) if "value" in node else np.zeros(width) for node in nodes]
    return np.array(values, dtype=np.float64)
