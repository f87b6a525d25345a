"""The models to serve and the requests to send."""

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

from benchmarks.packages import APPS, Request
from training.artifact import build_artifact
from training.registry import ModelRegistry
from training.wine.dataset import wine
from training.wine.estimators import wine_pipeline

BATCHES = [1, 10, 100, 1_000, 10_000]
# Of each hidden layer: models of about 0.05, 1, 8 and 50 MB.
HIDDEN_UNITS = [70, 350, 1_000, 2_490]


def wine_model() -> bytes:
    """Return the artifact of the wine model."""
    X, y, names = wine()
    return build_artifact(
        wine_pipeline().fit(X, y), X, y, name="wine", feature_names=names
    ).artifact


def network(units: int) -> bytes:
    """Return the artifact of a network with two hidden layers, for a model of some size."""
    X, y, names = wine()
    layers = MLPClassifier((units, units), max_iter=1, random_state=0)
    with warnings.catch_warnings(action="ignore"):  # not converged: only the size matters
        estimator = make_pipeline(StandardScaler(), layers).fit(X, y)
    return build_artifact(estimator, X, y, name="network", feature_names=names).artifact


def publish(artifact: bytes, store_url: str) -> str:
    """Publish an artifact and return the URL of the store."""
    registry = ModelRegistry(store_url)
    registry.publish(artifact)
    return registry.url


def put_for_others(model: bytes, folder_url: str) -> dict[str, str]:
    """Upload the wine model for the other services, and return the variables with its URLs.

    As a pickle for the tutorial's handler, and the same ONNX file as this project's for the rest.
    """
    X, y, _ = wine()
    pickle = io.BytesIO()
    joblib.dump(wine_pipeline().fit(X, y), pickle)
    description = (APPS / "mlflow" / "MLmodel").read_bytes()
    location = urlsplit(folder_url)
    s3 = boto3.client("s3")
    for name, body in {
        "wine.joblib": pickle.getvalue(),
        "mlflow/model.onnx": model,
        "mlflow/MLmodel": description,
    }.items():
        s3.put_object(Bucket=location.netloc, Key=f"{location.path.lstrip('/')}/{name}", Body=body)
    return {
        "PICKLE_URL": f"{folder_url}/wine.joblib",
        "ONNX_URL": f"{folder_url}/mlflow/model.onnx",
        "MLFLOW_URL": f"{folder_url}/mlflow",
    }


def one_sample() -> Request:
    """Return a request with one sample, its 13 features by name."""
    X, _, names = wine()
    return Request("/classify", {"data": dict(zip(names, X[0].tolist(), strict=True))})


def batch(size: int) -> Request:
    """Return a request with a batch of random samples by position."""
    X = wine().X
    samples = np.random.default_rng(0).uniform(X.min(0), X.max(0), (size, X.shape[1])).round(4)
    return Request("/classify", {"data": samples.tolist()})
