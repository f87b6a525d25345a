"""Splits by category, for trees whose nodes hold a set of categories.

ONNX's tree operators compare numbers. So a set of categories becomes a column of its own, 1 for the
samples that go right and 0 for the others, looked up by the sample's category.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.export.converters.features import Features
from training.export.converters.tensor import Tensor, concatenate
from training.export.converters.tree import Tree

# A table of the categories from 0 to the largest has to fit into the model.
MAX_CATEGORY = 1_000_000


class CategorySplit(NamedTuple):
    """A node of a tree that compares a category, which is an integer from 0 on.

    Parameters
    ----------
    tree : int
        Index of the tree.
    node : int
        Index of the node.
    feature : int
        The column with the category.
    members : numpy.ndarray of int
        The categories that go to one side; all others go to the other.
    members_go_right : bool
        The side of the members.
    missing_goes_right : bool
        The side of NaN.
    """

    tree: int
    node: int
    feature: int
    members: npt.NDArray[Any]
    members_go_right: bool
    missing_goes_right: bool


def compare_categories(
    trees: Sequence[Tree], splits: Sequence[CategorySplit], X: Tensor, width: int
) -> tuple[list[Tree], Tensor]:
    """Return the trees with numeric comparisons only, and the columns that they compare.

    Fractions of a category are dropped: -0.5 and 0.5 are category 0.

    Parameters
    ----------
    trees : sequence of Tree
    splits : sequence of CategorySplit
        The nodes to replace.
    X : Tensor
        Shape (samples, width).
    width : int
    """
    blocks, column_of = [X], {}
    for feature in sorted({split.feature for split in splits}):
        at_feature = [split for split in splits if split.feature == feature]
        categories = np.unique(np.concatenate([split.members for split in at_feature]))
        columns: dict[bytes, int] = {}
        for split in at_feature:
            goes_right = _goes_right(split, categories)
            column = columns.setdefault(goes_right.tobytes(), len(columns))
            column_of[split.tree, split.node] = width + column
        width += len(columns)
        table = np.frombuffer(b"".join(columns), np.uint8).reshape(len(columns), -1).T
        codes = _category_codes(X.column(feature), categories)
        blocks.append(X.graph.tensor(table).take(codes, axis=0).cast(np.float64))
    return _replace_nodes(trees, column_of), concatenate(blocks)


def _goes_right(split: CategorySplit, categories: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return 1 for the categories that go right, then for another one and for NaN."""
    goes_right = np.full(len(categories) + 2, not split.members_go_right, dtype=np.uint8)
    goes_right[np.searchsorted(categories, split.members)] = split.members_go_right
    goes_right[-1] = split.missing_goes_right
    return goes_right


def _category_codes(column: Tensor, categories: npt.NDArray[Any]) -> Tensor:
    """Return the index of each category, of another one and of NaN; shape (samples,)."""
    largest = int(categories.max(initial=0))
    if largest > MAX_CATEGORY:
        raise NotImplementedError(f"categories above {MAX_CATEGORY:,} are not supported")
    count = len(categories)
    # One element for each integer from -1 to one above the largest category, then one for NaN.
    codes = np.full(largest + 4, count, dtype=np.int64)
    codes[categories + 1] = np.arange(count)
    codes[-1] = count + 1
    bounded = column.is_nan().where(largest + 2.0, column.clip(-1.0, largest + 1.0))
    index = bounded.cast(np.int64).reshape(-1) + np.array(1)  # the cast drops the fraction
    return column.graph.tensor(codes).take(index, axis=0)


def _replace_nodes(trees: Sequence[Tree], column_of: dict[tuple[int, int], int]) -> list[Tree]:
    replaced = [
        tree._replace(feature=tree.feature.copy(), threshold=tree.threshold.copy())
        for tree in trees
    ]
    for (tree, node), column in column_of.items():
        replaced[tree].feature[node] = column
        replaced[tree].threshold[node] = 0.5
    return replaced


def number_categories(X: Features, index: int, categories: Sequence[Any]) -> Tensor:
    """Return the index of each category of a column, NaN for another and for a missing one.

    The categories of a column of numbers are numbers. The result has shape (samples, 1).
    """
    text = X.text(index)
    if text is not None:
        table = np.array([*range(len(categories)), np.nan, np.nan]).reshape(-1, 1)
        return text.look_up([str(category) for category in categories], table)
    column = X.column(index)
    if not len(categories):
        return column * np.nan
    matches = column.equal(np.array([float(category) for category in categories]).reshape(1, -1))
    indices = matches.cast(np.float64) @ np.arange(float(len(categories))).reshape(-1, 1)
    return matches.cast(np.float64).sum().equal(0.0).where(np.nan, indices)
