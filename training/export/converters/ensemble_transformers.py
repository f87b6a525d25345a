"""Ensembles as transformers, whose predictions or leaves are features: sklearn.ensemble."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import RandomTreesEmbedding, StackingClassifier, VotingClassifier

from training.export.converters.ensemble import stacked_predictions
from training.export.converters.features import Features, from_tensor
from training.export.converters.outputs import require
from training.export.converters.registry import convert, transforms
from training.export.converters.tensor import concatenate
from training.export.converters.tree import (
    leaf_indices,
    leaf_probabilities,
    read_tree,
    round_to_float32,
)


@transforms(RandomTreesEmbedding)
def _random_trees_embedding(embedding: RandomTreesEmbedding, X: Features) -> Features:
    trees = [read_tree(tree, leaf_probabilities(tree)) for tree in embedding.estimators_]
    leaves = [np.flatnonzero(tree.is_leaf) for tree in trees]
    known = embedding.one_hot_encoder_.categories_
    if any(not np.array_equal(*pair) for pair in zip(leaves, known, strict=True)):
        raise NotImplementedError("RandomTreesEmbedding with an empty leaf is not supported")
    tree_of_leaf = np.repeat(np.arange(len(trees)), [len(each) for each in leaves])
    index = leaf_indices(trees, round_to_float32(X.numbers()))
    is_in_leaf = index.columns(tree_of_leaf).equal(np.arange(len(tree_of_leaf)))
    return from_tensor(is_in_leaf.cast(np.float64), len(tree_of_leaf))


@transforms(VotingClassifier)
def _voting(estimator: VotingClassifier, X: Features) -> Features:
    outputs = [convert(member, X) for member in estimator.estimators_]
    if estimator.voting == "hard":
        votes = [each.class_index.reshape(-1, 1).cast(np.float64) for each in outputs]
        return from_tensor(concatenate(votes), len(votes))
    members = zip(outputs, estimator.estimators_, strict=True)
    probabilities = [require(each.probabilities, member) for each, member in members]
    width = len(probabilities) * len(estimator.classes_)
    return from_tensor(concatenate(probabilities), width)


@transforms(StackingClassifier)
def _stacking(estimator: StackingClassifier, X: Features) -> Features:
    width = sum(estimator._n_feature_outs) + (len(X) if estimator.passthrough else 0)
    return from_tensor(stacked_predictions(estimator, X), width)
