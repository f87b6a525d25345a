"""Projections on components: sklearn.decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import (
    PCA,
    FactorAnalysis,
    FastICA,
    IncrementalPCA,
    KernelPCA,
    MiniBatchSparsePCA,
    SparsePCA,
    TruncatedSVD,
)

from training.export.converters.features import Features, from_tensor
from training.export.converters.kernels import pairwise_kernel
from training.export.converters.preprocessing.scaling import center_kernel
from training.export.converters.projections import project
from training.export.converters.registry import transforms


@transforms(PCA, IncrementalPCA)
def _pca(pca: Any, X: Features) -> Features:
    components = np.asarray(pca.components_, dtype=np.float64)
    projected = X.numbers() @ components.T - np.reshape(pca.mean_, (1, -1)) @ components.T
    if pca.whiten:
        scale = np.sqrt(pca.explained_variance_)
        projected = projected / np.maximum(scale, np.finfo(scale.dtype).eps).astype(np.float64)
    return from_tensor(projected, len(components))


@transforms(TruncatedSVD)
def _truncated_svd(svd: TruncatedSVD, X: Features) -> Features:
    return project(X, svd.components_.T)


@transforms(FastICA)
def _fast_ica(ica: FastICA, X: Features) -> Features:
    return project(X, ica.components_.T, ica.mean_ if ica.whiten else None)


@transforms(FactorAnalysis)
def _factor_analysis(analysis: FactorAnalysis, X: Features) -> Features:
    weights = analysis.components_ / analysis.noise_variance_
    precision = np.eye(len(analysis.components_)) + weights @ analysis.components_.T
    return project(X, weights.T @ np.linalg.inv(precision), analysis.mean_)


@transforms(SparsePCA, MiniBatchSparsePCA)
def _sparse_pca(pca: Any, X: Features) -> Features:
    """Solve the ridge regression on the components, which is linear in the samples."""
    components = np.asarray(pca.components_, dtype=np.float64)
    gram = components @ components.T + pca.ridge_alpha * np.eye(len(components))
    return project(X, np.linalg.solve(gram, components).T, pca.mean_)


@transforms(KernelPCA)
def _kernel_pca(pca: KernelPCA, X: Features) -> Features:
    options = {"gamma": pca.gamma_, "degree": pca.degree, "coef0": pca.coef0}
    kernel = pairwise_kernel(pca, X.numbers(), pca.X_fit_, options)
    values = np.asarray(pca.eigenvalues_, dtype=np.float64)
    scale = np.where(values == 0, np.inf, np.sqrt(values))
    projected = center_kernel(pca._centerer, kernel) @ (pca.eigenvectors_ / scale)
    return from_tensor(projected, len(values))
