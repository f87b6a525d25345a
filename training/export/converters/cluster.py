"""Distances to clusters as features: sklearn.cluster."""

from __future__ import annotations

from typing import Any

from sklearn.cluster import Birch, BisectingKMeans, KMeans, MiniBatchKMeans

from training.export.converters.features import Features, from_tensor
from training.export.converters.kernels import euclidean_distances
from training.export.converters.registry import transforms


@transforms(KMeans, MiniBatchKMeans, BisectingKMeans)
def _k_means(clusterer: Any, X: Features) -> Features:
    return _distances(X, clusterer.cluster_centers_)


@transforms(Birch)
def _birch(clusterer: Birch, X: Features) -> Features:
    return _distances(X, clusterer.subcluster_centers_)


def _distances(X: Features, centers: Any) -> Features:
    return from_tensor(euclidean_distances(X.numbers(), centers).sqrt(), len(centers))
