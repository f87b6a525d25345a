"""Linear projections of other modules than sklearn.decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import FeatureAgglomeration
from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

from training.export.converters.features import Features, from_tensor
from training.export.converters.preprocessing.scaling import row_of
from training.export.converters.registry import transforms


def project(
    X: Features, weights: npt.NDArray[Any], mean: npt.NDArray[Any] | None = None
) -> Features:
    """Return (X - mean) @ weights; the weights have shape (features, components)."""
    values = X.numbers()
    if mean is not None:
        values = values - np.asarray(mean, dtype=np.float64)
    return from_tensor(values @ np.asarray(weights, dtype=np.float64), weights.shape[1])


@transforms(LinearDiscriminantAnalysis)
def _linear_discriminant_analysis(lda: LinearDiscriminantAnalysis, X: Features) -> Features:
    mean = lda.xbar_ if lda.solver == "svd" else None
    return project(X, lda.scalings_[:, : lda._max_components], mean)


@transforms(NeighborhoodComponentsAnalysis)
def _neighborhood_components(nca: NeighborhoodComponentsAnalysis, X: Features) -> Features:
    return project(X, nca.components_.T)


@transforms(GaussianRandomProjection, SparseRandomProjection)
def _random_projection(projection: Any, X: Features) -> Features:
    components = projection.components_
    dense = components.toarray() if hasattr(components, "toarray") else components
    return project(X, dense.T)


@transforms(PLSRegression, PLSCanonical, CCA)
def _partial_least_squares(pls: Any, X: Features) -> Features:
    return project(_scaled(pls, X), pls.x_rotations_)


@transforms(PLSSVD)
def _partial_least_squares_svd(pls: PLSSVD, X: Features) -> Features:
    return project(_scaled(pls, X), pls.x_weights_)


def _scaled(pls: Any, X: Features) -> Features:
    return from_tensor((X.numbers() - row_of(pls._x_mean)) / row_of(pls._x_std), len(X))


@transforms(FeatureAgglomeration)
def _feature_agglomeration(agglomeration: FeatureAgglomeration, X: Features) -> Features:
    if agglomeration.pooling_func is not np.mean:
        raise NotImplementedError(
            "FeatureAgglomeration with another function than numpy.mean is not supported"
        )
    clusters = np.unique(agglomeration.labels_)
    is_member = agglomeration.labels_.reshape(-1, 1) == clusters
    return project(X, is_member / is_member.sum(axis=0))
