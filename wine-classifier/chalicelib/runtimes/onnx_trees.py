"""The audit of a TreeEnsemble: ONNX Runtime follows its indices, by recursion, without a check."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from chalicelib.runtimes.onnx_attributes import Attribute
from chalicelib.runtimes.onnx_shapes import reject

# ONNX Runtime's recursion overflows a stack of 8 MB between 10,000 and 20,000.
MAX_TREE_DEPTH = 2_000

# The lists with one item for each node and for each leaf, and other attributes.
_NODE_LISTS = frozenset(
    b"nodes_featureids nodes_splits nodes_modes nodes_truenodeids nodes_trueleafs "
    b"nodes_falsenodeids nodes_falseleafs nodes_missing_value_tracks_true".split()
)
_LEAF_LISTS = frozenset(b"leaf_targetids leaf_weights".split())
_TREE_ATTRIBUTES = frozenset(b"aggregate_function n_targets post_transform tree_roots".split())
_COMPARISONS = bytes(range(6))  # of nodes_modes; membership, which has a list of its own, is not


def check_trees(attributes: list[Attribute]) -> None:
    """Check that a TreeEnsemble consists of trees, not too deep, whose lists fit together."""
    by_name = {attribute.name: attribute for attribute in attributes}
    required = _NODE_LISTS | _LEAF_LISTS | {b"tree_roots", b"n_targets"}
    if len(by_name) != len(attributes) or not required <= by_name.keys() <= (
        required | _TREE_ATTRIBUTES
    ):
        reject("a tree has other attributes")

    def indices(name: str) -> array[int]:
        return by_name[name.encode()].read_indices()

    true_ids, true_leaves = indices("nodes_truenodeids"), indices("nodes_trueleafs")
    false_ids, false_leaves = indices("nodes_falsenodeids"), indices("nodes_falseleafs")
    targets = indices("leaf_targetids")
    for names, count in ((_NODE_LISTS, len(true_ids)), (_LEAF_LISTS, len(targets))):
        for name in names:
            attribute = by_name[name]
            if count != (attribute.tensor.items or attribute.count_integers()):
                reject("the lists of a tree differ in length")
    if by_name[b"nodes_modes"].tensor.raw.tobytes().translate(None, _COMPARISONS):
        reject("a tree has nodes that compare with a list")
    if not targets:
        reject("a tree has no leaves")
    if max(targets) >= by_name[b"n_targets"].integer:
        reject("a leaf of a tree has no such target")
    _check_nodes(
        zip(true_ids, true_leaves, false_ids, false_leaves, strict=True),
        len(true_ids),
        indices("tree_roots"),
        len(targets),
    )


def _check_nodes(
    nodes: Iterable[tuple[int, int, int, int]], count: int, roots: Iterable[int], leaf_count: int
) -> None:
    """Check that each node is a root or has one parent, before it, and that no tree is too deep."""
    depths = [0] * count
    for root in roots:
        if root >= count or depths[root]:
            reject("a tree has no root of its own")
        depths[root] = 1
    for index, (true_id, true_leaf, false_id, false_leaf) in enumerate(nodes):
        depth = depths[index] + 1
        if not 1 < depth <= MAX_TREE_DEPTH:
            reject("a tree is too deep, or a node has no parent before it")
        for child, is_leaf in ((true_id, true_leaf), (false_id, false_leaf)):
            if is_leaf:
                if child >= leaf_count:
                    reject("a node of a tree has no such leaf")
            elif not index < child < count or depths[child]:
                reject("a node of a tree is not after its one parent")
            else:
                depths[child] = depth
