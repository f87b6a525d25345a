"""The models that are served, and what the functions are asked to classify."""

from __future__ import annotations

import io
import warnings
from urllib.parse import urlsplit

import boto3
import joblib
import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.packages import Request
from training.artifact import build_artifact
from training.registry import ModelRegistry
from training.wine.dataset import wine
from training.wine.estimators import wine_pipeline

BATCHES = [1, 10, 100, 1_000, 10_000]
HIDDEN_UNITS = [70, 350, 1_000]  # in each of two layers: models of about 0.05, 1 and 8 MB


def wine_model() -> bytes:
    """Export the wine model.

    Returns
    -------
    bytes
        An ONNX file.
    """
    X, y, names = wine()
    return build_artifact(
        wine_pipeline().fit(X, y), X, y, name="wine", feature_names=names
    ).artifact


def network(units: int) -> bytes:
    """Export a network of two layers, to have a model of a size.

    Parameters
    ----------
    units : int
        In each layer.

    Returns
    -------
    bytes
        An ONNX file.
    """
    X, y, names = wine()
    layers = MLPClassifier((units, units), max_iter=1, random_state=0)
    with warnings.catch_warnings(action="ignore"):  # one step of training is enough for a size
        estimator = make_pipeline(StandardScaler(), layers).fit(X, y)
    return build_artifact(estimator, X, y, name="network", feature_names=names).artifact


def publish(model: bytes, to: str) -> str:
    """Publish a model.

    Parameters
    ----------
    model : bytes
        An ONNX file.
    to : str
        The store: a URL or a folder.

    Returns
    -------
    str
        The URL of the store.
    """
    store = ModelRegistry(to)
    store.publish(model)
    return store.url


def put_pickle(url: str) -> None:
    """Put the wine model on S3 as the tutorial does.

    Parameters
    ----------
    url : str
        Where to.
    """
    X, y, _ = wine()
    pickle = io.BytesIO()
    joblib.dump(wine_pipeline().fit(X, y), pickle)
    place = urlsplit(url)
    boto3.client("s3").put_object(
        Bucket=place.netloc, Key=place.path.lstrip("/"), Body=pickle.getvalue()
    )


def one_sample() -> Request:
    """Ask for one sample, its 13 features by name."""
    X, _, names = wine()
    return Request("/classify", {"data": dict(zip(names, X[0].tolist(), strict=True))})


def batch(size: int) -> Request:
    """Ask for samples by position.

    Parameters
    ----------
    size : int
        How many.

    Returns
    -------
    Request
    """
    X = wine().X
    samples = np.random.default_rng(0).uniform(X.min(0), X.max(0), (size, X.shape[1])).round(4)
    return Request("/classify", {"data": samples.tolist()})
