"""The audit of a ``.skops`` archive's content: sizes before it is unpacked, objects after.

skops checks that each object has a trusted type, not that its numbers are safe: compiled code of
scikit-learn follows the indices of a tree or of a sparse matrix without checking them. Imported by
`chalicelib.runtimes.sklearn_classifier` only.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any, NoReturn

from chalicelib.errors import InvalidArtifact

# What an archive may unpack to. This project's are not compressed, but for sparse matrices in them.
UNPACKED_BYTES = 100_000_000
UNPACKED_FACTOR = 4
MAX_MEMBERS = 100_000

# Nothing in them comes from the file; objects refer to modules of their own.
_NOT_WALKED = (str, bytes, int, float, type, ModuleType, FunctionType, type(None))

_SCHEMA = "schema.json"


def check_size(archive: bytes) -> None:
    """Raise `InvalidArtifact` if an archive unpacks to too much, before it is unpacked."""
    maximum = UNPACKED_BYTES + UNPACKED_FACTOR * len(archive)
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        members = zipped.infolist()
        total = sum(member.file_size for member in members)
        if len(members) > MAX_MEMBERS or total > maximum:
            _reject(f"it unpacks to {total:,} bytes, over {maximum:,}")
        for member in members:
            if member.filename.endswith(".npz"):
                with zipped.open(member) as file, zipfile.ZipFile(file) as nested:
                    total += sum(each.file_size for each in nested.infolist())
                if total > maximum:
                    _reject(f"it unpacks to {total:,} bytes, over {maximum:,}")
        _check_schema(json.loads(zipped.read(_SCHEMA)))


def _check_schema(schema: Any) -> None:
    """Check the arguments of trees, with which skops calls compiled code."""
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if node.get("__loader__") == "TreeNode":
                outputs = node["__reduce__"]["args"]["content"][2]["content"]
                if outputs != "1":
                    _reject("a tree has more than one output")
            pending += node.values()
        elif isinstance(node, list):
            pending += node


def check_objects(estimator: Any) -> None:
    """Raise `InvalidArtifact` if an object that was loaded reads files or crashes compiled code."""
    from scipy.sparse import issparse
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
    from sklearn.neighbors import BallTree, KDTree
    from sklearn.tree._tree import Tree

    for parent, value in _iterate(estimator):
        if isinstance(value, Tree):
            _check_tree(value, getattr(parent, "n_features_in_", value.n_features))
        elif isinstance(value, TreePredictor):
            _check_predictor(value)
        elif isinstance(value, BallTree | KDTree):
            _check_neighbors(value)
        elif issparse(value):
            check_format: Any = getattr(value, "check_format", None)
            if check_format is not None:  # the compressed formats, whose indices code follows
                check_format(full_check=True)
        elif hasattr(value, "estimators_"):
            _check_widths(value)
        if getattr(value, "input", "content") in ("filename", "file"):
            _reject("a vectorizer reads the files that a text names")


def _iterate(root: Any) -> Iterator[tuple[Any, Any]]:
    """Iterate over the objects below one, each once, with the object that holds it."""
    import numpy as np

    seen = set()
    pending = [(None, root)]
    while pending:
        parent, value = pending.pop()
        if id(value) in seen or isinstance(value, _NOT_WALKED):
            continue
        seen.add(id(value))
        yield parent, value
        if isinstance(value, dict):
            children = [*value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            children = [*value]
        elif isinstance(value, np.ndarray):
            children = value.ravel().tolist() if value.dtype == object else []
        else:
            children, parent = [*getattr(value, "__dict__", {}).values()], value
        pending += [(parent, child) for child in children]


def _check_tree(tree: Any, width: int) -> None:
    import numpy as np

    if not 0 < tree.node_count <= tree.capacity or tree.n_features > width:
        _reject("a tree has other sizes than its estimator")
    left, right = tree.children_left, tree.children_right
    _check_children(left, right, left != -1, tree.feature, width)
    if not np.array_equal(left == -1, right == -1):
        _reject("a tree has a node with one child")


def _check_predictor(predictor: Any) -> None:
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    _check_children(
        nodes["left"].astype("i8"),
        nodes["right"].astype("i8"),
        inner,
        nodes["feature_idx"],
        None,
    )
    bitsets = nodes["bitset_idx"][nodes["is_categorical"] != 0]
    for each in (predictor.raw_left_cat_bitsets, predictor.binned_left_cat_bitsets):
        if len(bitsets) and (bitsets.max() >= len(each) or each.shape[1:] != (8,)):
            _reject("a tree has other categories")


def _check_children(left: Any, right: Any, inner: Any, feature: Any, width: int | None) -> None:
    """Check that the children of each inner node come after it, which excludes cycles."""
    import numpy as np

    indices = np.arange(len(left))[inner]
    for children in (left[inner], right[inner]):
        if (children <= indices).any() or (children >= len(left)).any():
            _reject("a node of a tree is not after its parent")
    features = feature[inner]
    if (features < 0).any() or (width is not None and (features >= width).any()):
        _reject("a node of a tree splits another feature than there is")


def _check_neighbors(tree: Any) -> None:
    data, indices, nodes, bounds = map(_as_array, tree.get_arrays())
    starts, ends = nodes["idx_start"], nodes["idx_end"]
    if (
        sorted(indices.tolist()) != list(range(len(data)))
        or (starts < 0).any()
        or (ends > len(data)).any()
        or (starts > ends).any()
        or bounds.shape[1] != len(nodes)
        or bounds.shape[2] != data.shape[1]
    ):
        _reject("a tree of neighbours has other indices than samples")


def _as_array(view: Any) -> Any:
    import numpy as np

    return np.asarray(view)


def _check_widths(ensemble: Any) -> None:
    """Check that the parts of a forest or a boosting take its features: it passes them on as is."""
    from sklearn.ensemble._forest import BaseForest
    from sklearn.ensemble._gb import BaseGradientBoosting

    if isinstance(ensemble, BaseForest | BaseGradientBoosting):
        for _, part in _iterate(list(getattr(ensemble.estimators_, "flat", ensemble.estimators_))):
            if getattr(part, "n_features_in_", ensemble.n_features_in_) != ensemble.n_features_in_:
                _reject("an ensemble has parts of other features")


def _reject(reason: str) -> NoReturn:
    raise InvalidArtifact("unsafe content", f"The .skops file is not allowed: {reason}.")
