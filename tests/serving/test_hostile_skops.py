"""Hostile ``.skops`` files: none unpacks to all memory, reads a file or crashes the process."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import skops.io
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer
from sklearn.tree import DecisionTreeClassifier

from chalicelib.errors import InvalidArtifact
from chalicelib.runtimes import skops_audit
from chalicelib.runtimes.skops_audit import check_objects, check_size

X, y = load_iris(return_X_y=True)


def loaded(estimator: Any) -> Any:
    """Write and load an estimator, as a server does."""
    return skops.io.loads(skops.io.dumps(estimator), trusted=["sklearn.tree._tree.Tree"])


def forge_nodes(tree: Any, **values: int) -> None:
    """Change fields of a tree's first node."""
    state = tree.__getstate__()
    for name, value in values.items():
        state["nodes"][name][0] = value
    tree.__setstate__(state)


def forged_tree(**values: int) -> ClassifierMixin:
    """Fit a tree and change its first node."""
    estimator = DecisionTreeClassifier(max_depth=2).fit(X, y)
    forge_nodes(estimator.tree_, **values)
    return estimator


def forged_count() -> ClassifierMixin:
    """Declare more nodes than there are."""
    estimator = DecisionTreeClassifier(max_depth=2).fit(X, y)
    state = estimator.tree_.__getstate__()
    estimator.tree_.__setstate__(state | {"node_count": 1_000_000})
    return estimator


def forged_forest() -> ClassifierMixin:
    """Replace a tree of a forest by one of more features."""
    estimator = RandomForestClassifier(2).fit(X, y)
    wide = DecisionTreeClassifier().fit(np.hstack([X, X]), y)
    estimator.estimators_[1] = wide
    return estimator


def forged_boosting() -> ClassifierMixin:
    """Point a node of a predictor outside."""
    estimator = HistGradientBoostingClassifier(max_iter=2).fit(X, y)
    estimator._predictors[0][0].nodes["left"][0] = 999
    return estimator


def forged_categories(first: int, items: int) -> ClassifierMixin:
    """Point a node of a predictor at other categories, or declare more of them."""
    estimator = HistGradientBoostingClassifier(max_iter=2, categorical_features=[2, 3])
    predictor = estimator.fit(X.round(), y)._predictors[0][0]
    is_categorical = predictor.nodes["is_categorical"] != 0
    assert is_categorical.any()
    predictor.nodes["bitset_idx"][is_categorical] += first
    predictor.raw_left_cat_bitsets = np.pad(predictor.raw_left_cat_bitsets, ((0, 0), (0, items)))
    return estimator


def forged_gradient_boosting() -> ClassifierMixin:
    """Point a node of a tree outside; the trees are in an array of objects."""
    estimator = GradientBoostingClassifier(n_estimators=2).fit(X, y)
    forge_nodes(estimator.estimators_[1, 2].tree_, left_child=999)
    return estimator


def forged_neighbors(part: int, change: Callable[[Any], Any]) -> ClassifierMixin:
    """Change a part of a tree of neighbours: its data, indices, nodes or bounds."""
    estimator = KNeighborsClassifier(algorithm="kd_tree").fit(X, y)
    state = list(estimator._tree.__getstate__())
    state[part] = np.ascontiguousarray(change(np.array(state[part])))
    estimator._tree.__setstate__(tuple(state))
    return estimator


def with_first(array: Any, value: int) -> Any:
    """Change the first item of an array."""
    array[0] = value
    return array


def with_nodes(nodes: Any, **values: int) -> Any:
    """Change fields of all nodes."""
    for name, value in values.items():
        nodes[name] = value
    return nodes


def forged_sparse() -> ClassifierMixin:
    """Point an index of sparse coefficients outside."""
    estimator = LogisticRegression(max_iter=1_000).fit(X, y).sparsify()
    estimator.coef_ = sparse.csr_matrix(estimator.coef_)
    estimator.coef_.indices[0] = 10**9
    return estimator


def reader(name: str) -> ClassifierMixin:
    """Read files whose names a request has."""
    estimator = make_pipeline(CountVectorizer(), LogisticRegression())
    estimator.fit(["red", "white"], [0, 1])
    estimator[0].input = name
    return estimator


HOSTILE: dict[str, Callable[[], ClassifierMixin]] = {
    "a child outside": lambda: forged_tree(left_child=999),
    "a child before its parent": lambda: forged_tree(right_child=0),
    "a negative child": lambda: forged_tree(right_child=-7),
    "a negative child beside none": lambda: forged_tree(left_child=-7, right_child=-1),
    "one child": lambda: forged_tree(right_child=-1),
    "a feature outside": lambda: forged_tree(feature=4),
    "a negative feature": lambda: forged_tree(feature=-9),
    "more nodes than there are": forged_count,
    "a forest with another tree": forged_forest,
    "a boosting with a child outside": forged_boosting,
    "a boosting with categories outside": lambda: forged_categories(99, 0),
    "a boosting with more categories": lambda: forged_categories(0, 1),
    "a tree in an array of objects": forged_gradient_boosting,
    "a neighbour outside": lambda: forged_neighbors(1, lambda array: with_first(array, 10**9)),
    "a neighbour twice": lambda: forged_neighbors(1, lambda array: with_first(array, array[1])),
    "too few neighbours": lambda: forged_neighbors(1, lambda array: array[:-1]),
    "neighbours before the first": lambda: forged_neighbors(
        2, lambda nodes: with_nodes(nodes, idx_start=-1)
    ),
    "neighbours after the last": lambda: forged_neighbors(
        2, lambda nodes: with_nodes(nodes, idx_end=len(X) + 1)
    ),
    "neighbours that end before they start": lambda: forged_neighbors(
        2, lambda nodes: with_nodes(nodes, idx_start=2, idx_end=1)
    ),
    "bounds of fewer nodes": lambda: forged_neighbors(3, lambda bounds: bounds[:, :-1]),
    "bounds of fewer features": lambda: forged_neighbors(3, lambda bounds: bounds[:, :, :-1]),
    "a sparse index outside": forged_sparse,
    "texts that name files": lambda: reader("filename"),
    "texts that are files": lambda: reader("file"),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_forged_object_is_rejected_before_it_predicts(
    make: Callable[[], ClassifierMixin],
) -> None:
    """Also within a pipeline; scikit-learn's compiled code would follow it without a check."""
    with pytest.raises((InvalidArtifact, ValueError)):  # the latter by SciPy's own check
        check_objects(make())
    with pytest.raises((InvalidArtifact, ValueError)):
        check_objects(make_pipeline("passthrough", make()))


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(),
        RandomForestClassifier(3),
        HistGradientBoostingClassifier(max_iter=3),
        HistGradientBoostingClassifier(max_iter=3, categorical_features=[2, 3]),
        KNeighborsClassifier(algorithm="kd_tree"),
        KNeighborsClassifier(algorithm="ball_tree"),
        make_pipeline(SplineTransformer(), LogisticRegression(max_iter=1_000)),  # holds a module
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_an_honest_estimator_is_accepted(estimator: ClassifierMixin) -> None:
    """What the objects above start from."""
    check_objects(estimator.fit(X.round(), y))  # few values, which may be categories


def test_an_archive_that_unpacks_to_much_more_than_its_size_is_rejected() -> None:
    """Before it is unpacked; the size is in its directory."""
    for name in ("schema.json", "1.npy"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr(name, bytes(110_000_000))
        assert len(buffer.getvalue()) < 200_000
        with pytest.raises(InvalidArtifact, match="unpacks to 110,000,000 bytes"):
            check_size(buffer.getvalue())


@pytest.mark.parametrize("is_nested", [False, True])
def test_an_archive_unpacks_to_no_more_than_the_limit(
    monkeypatch: pytest.MonkeyPatch, is_nested: bool
) -> None:
    """The sizes of all members together, and of those of archives in it."""
    monkeypatch.setattr(skops_audit, "UNPACKED_FACTOR", 0)
    nested, buffer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(nested, "w") as zipped:
        zipped.writestr("data.npy", bytes(1_000))
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr("schema.json", "{}")
        zipped.writestr("1.npz" if is_nested else "1.npy", nested.getvalue())
    size = 2 + len(nested.getvalue()) + (1_000 if is_nested else 0)
    monkeypatch.setattr(skops_audit, "UNPACKED_BYTES", size)
    check_size(buffer.getvalue())
    monkeypatch.setattr(skops_audit, "UNPACKED_BYTES", size - 1)
    with pytest.raises(InvalidArtifact, match=f"unpacks to {size:,} bytes, over {size - 1:,}"):
        check_size(buffer.getvalue())


def test_a_larger_archive_may_unpack_to_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times its size."""
    monkeypatch.setattr(skops_audit, "UNPACKED_BYTES", 0)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr("schema.json", "{}")
    directory = len(buffer.getvalue())
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("1.npy", bytes(3 * directory))
    check_size(buffer.getvalue())
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("2.npy", bytes(20 * directory))
    with pytest.raises(InvalidArtifact, match="unpacks to"):
        check_size(buffer.getvalue())


def test_an_archive_has_no_more_members_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes memory, however small it is."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name in ("schema.json", "1.npy", "2.npy"):
            zipped.writestr(name, "{}")
    monkeypatch.setattr(skops_audit, "MAX_MEMBERS", 3)
    check_size(buffer.getvalue())
    monkeypatch.setattr(skops_audit, "MAX_MEMBERS", 2)
    with pytest.raises(InvalidArtifact, match="unpacks to"):
        check_size(buffer.getvalue())


def test_a_sparse_matrix_that_unpacks_to_much_more_is_rejected() -> None:
    """It is an archive in the archive."""
    nested, buffer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(nested, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("data.npy", bytes(110_000_000))
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr("1.npz", nested.getvalue())
    with pytest.raises(InvalidArtifact, match="unpacks to"):
        check_size(buffer.getvalue())


def test_a_tree_with_many_outputs_is_rejected_before_it_is_built() -> None:
    """Compiled code would read that many numbers of classes."""
    archive = skops.io.dumps(DecisionTreeClassifier(max_depth=1).fit(X, y))
    check_size(archive)
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as original,
        zipfile.ZipFile(buffer, "w") as changed,
    ):
        for name in original.namelist():
            content = original.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                tree = schema["content"]["content"]["tree_"]
                tree["__reduce__"]["args"]["content"][2]["content"] = "1000000000"
                content = json.dumps(schema).encode()
            changed.writestr(name, content)
    with pytest.raises(InvalidArtifact, match="more than one output"):
        check_size(buffer.getvalue())
