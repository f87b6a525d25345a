"""Products of features: sklearn.preprocessing.PolynomialFeatures."""

from __future__ import annotations

import itertools

import numpy as np
from sklearn.preprocessing import PolynomialFeatures

from training.export.converters.features import Features, from_tensor
from training.export.converters.registry import transforms
from training.export.converters.tensor import Tensor, concatenate


@transforms(PolynomialFeatures)
def _polynomial_features(polynomial: PolynomialFeatures, X: Features) -> Features:
    first = polynomial._min_degree
    blocks, width = [], 0
    if polynomial.include_bias:
        blocks.append(X.graph.repeat(np.ones(1)))
        width += 1
    terms = list(_terms(polynomial, X))
    for degree, (term, count) in enumerate(terms, start=1):
        if degree >= first:
            blocks.append(term)
            width += count
    if not blocks:
        raise NotImplementedError("PolynomialFeatures without a term is not supported")
    joined = concatenate(blocks)
    return from_tensor(joined.reject_infinity() if len(terms) > 1 else joined, width)


def _terms(polynomial: PolynomialFeatures, X: Features) -> list[tuple[Tensor, int]]:
    """Return the terms of each degree from 1 on, and their number.

    As in scikit-learn a term is the product of its first feature and the term of the others, which
    rounds each product in the same way.
    """
    combine = (
        itertools.combinations
        if polynomial.interaction_only
        else itertools.combinations_with_replacement
    )
    features = X.numbers()
    levels: list[tuple[Tensor, int]] = []
    position: dict[tuple[int, ...], int] = {}
    for degree in range(1, polynomial._max_degree + 1):
        combinations = list(combine(range(len(X)), degree))
        if not combinations:
            break
        if degree == 1:
            term = features
        else:
            lower = levels[-1][0].columns([position[c[1:]] for c in combinations])
            term = lower * features.columns([c[0] for c in combinations])
        position = {c: index for index, c in enumerate(combinations)}
        levels.append((term, len(combinations)))
    return levels
